DELETE FROM artifact_input WHERE artifact_id = :artifact_id
