SELECT input_id, role
FROM artifact_input
WHERE artifact_id = :artifact_id
ORDER BY position
