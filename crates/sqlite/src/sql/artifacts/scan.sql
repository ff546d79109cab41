SELECT
    (SELECT name FROM artifact_type WHERE type_key = a.type_key),
    (SELECT path FROM directory WHERE directory_key = a.directory_key),
    (SELECT path FROM directory WHERE directory_key = a.record_directory_key),
    a.*
FROM artifact AS a INDEXED BY artifact_by_id
WHERE a.artifact_id > :after
ORDER BY a.artifact_id
LIMIT CAST(:limit AS INTEGER)
