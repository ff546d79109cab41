SELECT
    (SELECT name FROM artifact_type WHERE type_key = a.type_key),
    (SELECT path FROM directory WHERE directory_key = a.directory_key),
    (SELECT path FROM directory WHERE directory_key = a.record_directory_key),
    a.*
FROM artifact_tag AS t
CROSS JOIN artifact AS a ON a.artifact_key = t.artifact_key
WHERE t.tag_key = :tag_key
    AND t.tag_value = :tag_value
    AND t.created_at >= :created_from
    AND (t.created_at, t.artifact_id) < (:before_time, :before_id)
    AND (:artifact_type IS NULL OR a.type_key = (SELECT type_key FROM artifact_type WHERE name = :artifact_type))
    AND (:status IS NULL OR a.status = :status)
    AND (:excluded_status IS NULL OR a.status <> :excluded_status)
    AND (:key_prefix IS NULL OR substr(CAST(a.logical_key AS BLOB), 1, length(:key_prefix)) = :key_prefix)
    AND (:logical_key IS NULL OR a.logical_key = :logical_key)
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
ORDER BY t.created_at DESC, t.artifact_id DESC
LIMIT CAST(:limit AS INTEGER)
