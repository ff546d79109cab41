SELECT e.request_digest, a.artifact_id, e.sequence, e.kind, e.created_at, e.op_id
FROM artifact_event AS e
CROSS JOIN artifact AS a ON a.artifact_key = e.artifact_key
WHERE e.sequence > :after
ORDER BY e.sequence
LIMIT CAST(:limit AS INTEGER)
