-- The credentials of deleted connections, until a job has given their tokens back to the vendor.
CREATE TABLE revocations (
    connection TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    auth_scheme TEXT NOT NULL,
    oauth_client_id TEXT,
    config TEXT NOT NULL,
    gates TEXT NOT NULL,
    settings TEXT NOT NULL,
    hosts TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    sealed_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX revocations_created ON revocations (created_at);
