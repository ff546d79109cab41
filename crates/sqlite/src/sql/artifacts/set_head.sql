UPDATE catalog SET commits = :commits, last_event = :last_event
