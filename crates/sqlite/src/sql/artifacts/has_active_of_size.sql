SELECT EXISTS (
    SELECT 1
    FROM artifact AS a INDEXED BY artifact_active_by_key
    WHERE a.type_key = (SELECT type_key FROM artifact_type WHERE name = :artifact_type)
        AND a.logical_key = :logical_key
        AND a.status = 0
        AND a.schema_version = :schema_version
        AND a.size_bytes = :size_bytes
        AND a.kind = :kind
)
