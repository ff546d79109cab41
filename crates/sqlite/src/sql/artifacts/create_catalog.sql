INSERT INTO catalog (only, store_id, commits, last_event)
VALUES (1, :store_id, :commits, :last_event)
