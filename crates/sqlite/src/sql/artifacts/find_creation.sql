SELECT request_digest, artifact_id
FROM artifact INDEXED BY artifact_by_operation
WHERE op_id = :op_id
