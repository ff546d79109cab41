DELETE FROM artifact_input WHERE artifact_key = :artifact_key
