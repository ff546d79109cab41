SELECT artifact_id, role
FROM artifact_input INDEXED BY artifact_input_by_input
WHERE input_id = :artifact_id
ORDER BY artifact_id, position
