INSERT INTO directory (path) VALUES (:name) RETURNING directory_key
