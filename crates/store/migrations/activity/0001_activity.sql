-- Every call, packed: see the encoding of the store's activity module.
CREATE TABLE activity_blocks (
    id TEXT PRIMARY KEY,
    environment_id TEXT,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    bytes BYTEA NOT NULL
);
CREATE INDEX activity_blocks_last_at ON activity_blocks (last_at, id);

-- Failed and slow calls once more, with detail.
CREATE TABLE activity_calls (
    environment_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    connection TEXT NOT NULL,
    integration TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status BIGINT NOT NULL,
    error_kind TEXT,
    total_us BIGINT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (environment_id, request_id)
);
CREATE INDEX activity_calls_environment ON activity_calls (environment_id, at, request_id);
CREATE INDEX activity_calls_connection ON activity_calls (environment_id, connection, at, request_id);
CREATE INDEX activity_calls_at ON activity_calls (at);
