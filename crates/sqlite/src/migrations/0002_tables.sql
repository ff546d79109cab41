-- Ids of 16 bytes each, in ascending order; NULL where there is none.
ALTER TABLE artifact ADD COLUMN supersedes BLOB CHECK (length(supersedes) % 16 = 0);
ALTER TABLE artifact ADD COLUMN tombstone_reason TEXT;

-- Steps of the schema run on empty databases only, so there is nothing to bring over. Both ends are ids, because an artifact
-- may name an input whose row is lost.
DROP TABLE artifact_input;
CREATE TABLE artifact_input (
    artifact_id BLOB    NOT NULL CHECK (length(artifact_id) = 16),
    position    INTEGER NOT NULL,
    input_id    BLOB    NOT NULL CHECK (length(input_id) = 16),
    role        TEXT,
    PRIMARY KEY (artifact_id, position)
) STRICT, WITHOUT ROWID;

-- Holds whatever a step downstream asks for.
CREATE INDEX artifact_input_by_input ON artifact_input (input_id, artifact_id, position, role);

-- What a logical key has now and what it had formerly, so that neither is looked for among the other, however often a key
-- was replaced. The last columns let the size of a possible duplicate be compared without looking up the row.
DROP INDEX artifact_by_key;
CREATE INDEX artifact_active_by_key
    ON artifact (type_key, logical_key, created_at, artifact_id, schema_version, size_bytes, kind)
    WHERE status = 0;
CREATE INDEX artifact_inactive_by_key
    ON artifact (type_key, logical_key, created_at, artifact_id, status)
    WHERE status <> 0;

-- From here on `artifact_fingerprint` also holds (type, schema version, logical key, content digest) of those active
-- artifacts whose content digest is not NULL.
