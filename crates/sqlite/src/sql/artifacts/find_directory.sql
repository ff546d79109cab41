SELECT directory_key FROM directory WHERE path = :name
