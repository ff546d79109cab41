DELETE FROM artifact_fingerprint
WHERE fingerprint = :fingerprint AND artifact_key = :artifact_key
