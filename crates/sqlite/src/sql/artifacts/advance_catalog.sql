UPDATE catalog
SET
    commits = max(commits + :commits, :least_commits),
    last_event = max(last_event, :last_event),
    active = active + :active,
    superseded = superseded + :superseded,
    tombstoned = tombstoned + :tombstoned,
    bytes = bytes + :bytes
RETURNING commits
