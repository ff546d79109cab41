-- One row: the identity of the store, and counters that would otherwise need a walk over everything.
CREATE TABLE catalog (
    only       INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    store_id   BLOB    NOT NULL CHECK (length(store_id) = 16),
    commits    INTEGER NOT NULL,
    last_event INTEGER NOT NULL,
    active     INTEGER NOT NULL DEFAULT 0,
    superseded INTEGER NOT NULL DEFAULT 0,
    tombstoned INTEGER NOT NULL DEFAULT 0,
    bytes      INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Texts that many artifacts share.
CREATE TABLE artifact_type (
    type_key INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE directory (
    directory_key INTEGER PRIMARY KEY,
    path          TEXT NOT NULL UNIQUE
) STRICT;

-- Columns are read by position: new ones are added at the end.
--
-- In file names `/` stands for the text of the artifact's id. A record's name is NULL where it follows from the data's,
-- its directory where it is the same; a content digest is NULL where it equals the file's hash. An operation id is a blob
-- where it is a UUID. Times are milliseconds since 1970.
CREATE TABLE artifact (
    artifact_key         INTEGER PRIMARY KEY,
    artifact_id          BLOB    NOT NULL CHECK (length(artifact_id) = 16),
    type_key             INTEGER NOT NULL REFERENCES artifact_type,
    schema_version       INTEGER NOT NULL,
    logical_key          TEXT    NOT NULL,
    kind                 INTEGER NOT NULL CHECK (kind IN (0, 1)),
    status               INTEGER NOT NULL CHECK (status IN (0, 1, 2)),
    directory_key        INTEGER NOT NULL REFERENCES directory,
    data_name            TEXT    NOT NULL,
    record_directory_key INTEGER REFERENCES directory,
    record_name          TEXT,
    file_hash            BLOB    NOT NULL CHECK (length(file_hash) = 32),
    content_algorithm    INTEGER NOT NULL CHECK (content_algorithm IN (0, 1)),
    content_digest       BLOB    CHECK (length(content_digest) = 32),
    size_bytes           INTEGER NOT NULL CHECK (size_bytes >= 0),
    row_count            INTEGER,
    min_timestamp        INTEGER,
    max_timestamp        INTEGER,
    created_at           INTEGER NOT NULL,
    superseded_by        BLOB    CHECK (length(superseded_by) = 16),
    run_id               BLOB    CHECK (length(run_id) = 16),
    op_id                ANY     NOT NULL,
    request_digest       BLOB    NOT NULL CHECK (length(request_digest) = 32),
    revision             INTEGER NOT NULL,
    last_event           INTEGER NOT NULL,
    tags                 TEXT,
    input_count          INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX artifact_by_id ON artifact (artifact_id);
CREATE UNIQUE INDEX artifact_by_operation ON artifact (op_id);

-- Every list is newest first by (created_at, artifact_id). The columns after these two let a condition be tested without
-- looking up the row.
CREATE INDEX artifact_by_creation ON artifact (created_at, artifact_id, status);
CREATE INDEX artifact_by_type ON artifact (type_key, created_at, artifact_id, status);
CREATE INDEX artifact_by_key
    ON artifact (type_key, logical_key, created_at, artifact_id, status, schema_version, size_bytes);

-- Nearly everything is active: the others are found by indexes that cost an active artifact nothing.
CREATE INDEX artifact_by_status ON artifact (status, created_at, artifact_id) WHERE status <> 0;
CREATE INDEX artifact_by_status_and_type ON artifact (status, type_key, created_at, artifact_id) WHERE status <> 0;

-- Active artifacts by a 64-bit fingerprint of (type, schema version, logical key, file hash): finds a duplicate in one
-- step however many artifacts share a logical key. What is found is compared in full.
CREATE TABLE artifact_fingerprint (
    fingerprint  INTEGER NOT NULL,
    artifact_key INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, artifact_key)
) STRICT, WITHOUT ROWID;

-- The tags of a row again, in the order of a list by tag.
CREATE TABLE artifact_tag (
    tag_key      TEXT    NOT NULL,
    tag_value    TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    artifact_id  BLOB    NOT NULL,
    artifact_key INTEGER NOT NULL,
    PRIMARY KEY (tag_key, tag_value, created_at, artifact_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifact_input (
    artifact_key INTEGER NOT NULL REFERENCES artifact,
    position     INTEGER NOT NULL,
    input_id     BLOB    NOT NULL CHECK (length(input_id) = 16),
    role         TEXT,
    PRIMARY KEY (artifact_key, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifact_event (
    sequence       INTEGER PRIMARY KEY,
    kind           TEXT    NOT NULL,
    artifact_key   INTEGER NOT NULL REFERENCES artifact,
    op_id          ANY     NOT NULL UNIQUE,
    request_digest BLOB    NOT NULL CHECK (length(request_digest) = 32),
    created_at     INTEGER NOT NULL
) STRICT;
