SELECT supersedes, NULL
FROM artifact INDEXED BY artifact_by_id
WHERE artifact_id = :artifact_id
