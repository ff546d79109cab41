INSERT INTO artifact_tag (tag_key, tag_value, created_at, artifact_id, artifact_key)
VALUES (:tag_key, :tag_value, :created_at, :artifact_id, :artifact_key)
