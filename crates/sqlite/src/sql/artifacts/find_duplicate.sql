SELECT
    (SELECT name FROM artifact_type WHERE type_key = a.type_key),
    (SELECT path FROM directory WHERE directory_key = a.directory_key),
    (SELECT path FROM directory WHERE directory_key = a.record_directory_key),
    a.*
FROM artifact_fingerprint AS f
CROSS JOIN artifact AS a ON a.artifact_key = f.artifact_key
WHERE f.fingerprint = :fingerprint
    AND a.status = 0
    AND a.type_key = (SELECT type_key FROM artifact_type WHERE name = :artifact_type)
    AND a.schema_version = :schema_version
    AND a.logical_key = :logical_key
    AND a.kind = :kind
    AND a.file_hash = :file_hash
ORDER BY a.created_at, a.artifact_id
LIMIT 1
