SELECT e.request_digest, a.artifact_id, e.sequence, e.kind, e.created_at
FROM artifact_event AS e
CROSS JOIN artifact AS a ON a.artifact_key = e.artifact_key
WHERE e.op_id = :op_id
