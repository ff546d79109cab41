SELECT input_id, role
FROM artifact_input
WHERE artifact_key = :artifact_key
ORDER BY position
