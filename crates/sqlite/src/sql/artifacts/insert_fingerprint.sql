INSERT INTO artifact_fingerprint (fingerprint, artifact_key)
VALUES (:fingerprint, :artifact_key)
