UPDATE catalog
SET
    commits = commits + :commits,
    last_event = max(last_event, :last_event),
    active = active + :active,
    superseded = superseded + :superseded,
    tombstoned = tombstoned + :tombstoned,
    bytes = bytes + :bytes
RETURNING commits
