SELECT type_key FROM artifact_type WHERE name = :name
