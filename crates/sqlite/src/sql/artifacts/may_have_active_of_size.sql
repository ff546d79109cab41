SELECT
    coalesce(
        max(
            newest.schema_version = :schema_version
            AND newest.size_bytes = :size_bytes
            AND newest.kind = :kind
        ),
        0
    )
    OR count(*) = 100
FROM (
    SELECT a.schema_version, a.size_bytes, a.kind
    FROM artifact AS a INDEXED BY artifact_active_by_key
    WHERE a.type_key = (SELECT type_key FROM artifact_type WHERE name = :artifact_type)
        AND a.logical_key = :logical_key
        AND a.status = 0
    ORDER BY a.created_at DESC, a.artifact_id DESC
    LIMIT 100
) AS newest
