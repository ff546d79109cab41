SELECT store_id, commits, last_event FROM catalog
