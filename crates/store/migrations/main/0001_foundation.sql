-- Conventions: ids and JSON are TEXT, times BIGINT (milliseconds since 1970 UTC), bytes BYTEA.
-- Texts that are searched by prefix compare byte by byte (COLLATE "C").

-- One row: which installation this is, and the proof of its master key.
CREATE TABLE instance (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    id TEXT NOT NULL,
    key_check BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- The generation grows with every change that caches of the environment must notice.
CREATE TABLE environments (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    generation BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX environments_name ON environments (name);

-- uses counts the secrets sealed with a key: a random nonce is safe for 2^32 of them.
CREATE TABLE data_keys (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    version BIGINT NOT NULL,
    wrapped BYTEA NOT NULL,
    uses BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, version)
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    display_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    lookup TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    scram_salt BYTEA NOT NULL,
    scram_iterations BIGINT NOT NULL,
    scram_stored_key BYTEA NOT NULL,
    scram_server_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_day BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX api_keys_lookup ON api_keys (lookup);
CREATE INDEX api_keys_environment ON api_keys (environment_id, id);

CREATE TABLE integrations (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    unique_key TEXT NOT NULL,
    provider TEXT NOT NULL,
    display_name TEXT NOT NULL,
    auth_schemes TEXT NOT NULL,
    defaults TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX integrations_unique_key ON integrations (environment_id, unique_key) WHERE deleted_at IS NULL;

-- name_key is the name in Unicode form C without surrounding white space, name_search in form KC and lower case.
-- version grows with every change of the row, sealed_version with every secret written to it: the latter is part of
-- what the secret is bound to.
CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    integration_id TEXT NOT NULL REFERENCES integrations (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    name_search TEXT COLLATE "C" NOT NULL,
    connection_id TEXT COLLATE "C" NOT NULL,
    auth_scheme TEXT NOT NULL,
    config TEXT NOT NULL,
    settings TEXT NOT NULL,
    gates TEXT NOT NULL,
    hosts TEXT NOT NULL,
    sealed BYTEA,
    sealed_version BIGINT NOT NULL,
    health TEXT NOT NULL,
    health_detail TEXT NOT NULL,
    tags TEXT NOT NULL,
    metadata TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_tested_at BIGINT,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX connections_name ON connections (environment_id, name_key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX connections_connection_id
    ON connections (environment_id, connection_id, integration_id) WHERE deleted_at IS NULL;
-- One index per combination of filters that a list may be driven by, each in the order of the list.
CREATE INDEX connections_created ON connections (environment_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX connections_name_search ON connections (environment_id, name_search, id) WHERE deleted_at IS NULL;
CREATE INDEX connections_integration
    ON connections (environment_id, integration_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX connections_health ON connections (environment_id, health, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX connections_integration_health
    ON connections (environment_id, integration_id, health, created_at, id) WHERE deleted_at IS NULL;

-- The tags of live connections once more, to find connections by them. created_at is the connection's.
CREATE TABLE connection_tags (
    environment_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    tag_value TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    connection TEXT NOT NULL REFERENCES connections (id),
    PRIMARY KEY (environment_id, tag, tag_value, created_at, connection)
);
CREATE INDEX connection_tags_connection ON connection_tags (connection);

-- Exclusive rights that run out. token grows with every new holder, so that a late one can be told apart.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    token BIGINT NOT NULL,
    held_until BIGINT NOT NULL
);

-- due_at is when a job may be claimed: its start while queued, the end of its lease while running.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    environment_id TEXT REFERENCES environments (id),
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    lease_owner TEXT,
    lease_token BIGINT NOT NULL,
    idempotency_key TEXT,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE UNIQUE INDEX jobs_idempotency ON jobs (kind, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_due ON jobs (due_at, id) WHERE finished_at IS NULL;
CREATE INDEX jobs_environment ON jobs (environment_id, id);
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE schedules (
    name TEXT PRIMARY KEY,
    environment_id TEXT REFERENCES environments (id),
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    every_ms BIGINT NOT NULL CHECK (every_ms > 0),
    next_fire_at BIGINT NOT NULL
);
CREATE INDEX schedules_next_fire ON schedules (next_fire_at);

-- Webhook events that were written together with what they tell about.
CREATE TABLE webhook_events (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    type TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX webhook_events_pending ON webhook_events (environment_id, id) WHERE finished_at IS NULL;
CREATE INDEX webhook_events_finished ON webhook_events (finished_at) WHERE finished_at IS NOT NULL;

-- sequence, previous_hash and hash are NULL until the event is chained.
CREATE TABLE audit_events (
    id TEXT PRIMARY KEY,
    sequence BIGINT,
    environment_id TEXT,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_label TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    object_label TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous_hash BYTEA,
    hash BYTEA
);
CREATE UNIQUE INDEX audit_events_sequence ON audit_events (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_events_unchained ON audit_events (id) WHERE sequence IS NULL;
CREATE INDEX audit_events_environment ON audit_events (environment_id, id);
