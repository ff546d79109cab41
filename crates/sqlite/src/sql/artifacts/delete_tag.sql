DELETE FROM artifact_tag
WHERE tag_key = :tag_key
    AND tag_value = :tag_value
    AND created_at = :created_at
    AND artifact_id = :artifact_id
