SELECT
    (SELECT name FROM artifact_type WHERE type_key = a.type_key),
    (SELECT path FROM directory WHERE directory_key = a.directory_key),
    (SELECT path FROM directory WHERE directory_key = a.record_directory_key),
    a.*
FROM artifact AS a INDEXED BY artifact_active_by_key
WHERE a.type_key = (SELECT type_key FROM artifact_type WHERE name = :artifact_type)
    AND a.logical_key = :logical_key
    AND a.status = 0
    AND a.created_at >= :created_from
    AND (a.created_at, a.artifact_id) < (:before_time, :before_id)
    AND (:key_prefix IS NULL OR substr(CAST(a.logical_key AS BLOB), 1, length(:key_prefix)) = :key_prefix)
    AND (
        :overlaps_from IS NULL
        OR (a.max_timestamp >= :overlaps_from AND a.min_timestamp < :overlaps_before)
    )
    AND (
        :tags IS NULL
        OR NOT EXISTS (
            SELECT 1
            FROM json_each(:tags) AS wanted
            WHERE NOT EXISTS (
                SELECT 1
                FROM artifact_tag AS found
                WHERE found.tag_key = wanted.value ->> 0
                    AND found.tag_value = wanted.value ->> 1
                    AND found.created_at = a.created_at
                    AND found.artifact_id = a.artifact_id
            )
        )
    )
ORDER BY a.created_at DESC, a.artifact_id DESC
LIMIT CAST(:limit AS INTEGER)
