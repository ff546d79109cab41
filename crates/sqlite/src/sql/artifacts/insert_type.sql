INSERT INTO artifact_type (name) VALUES (:name) RETURNING type_key
