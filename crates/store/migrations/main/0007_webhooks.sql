-- Receivers of webhook events. sealed holds the signing secret, and the one before it, which signs as well until
-- previous_until. One with disabled_at gets nothing. failing_since is the first of the failures that no success
-- interrupted, paused_until what the receiver asked for.
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    url TEXT NOT NULL,
    format TEXT NOT NULL,
    event_types TEXT NOT NULL,
    sealed BYTEA,
    sealed_version BIGINT NOT NULL,
    previous_until BIGINT,
    disabled_at BIGINT,
    disabled_reason TEXT,
    failing_since BIGINT,
    last_failed_at BIGINT,
    paused_until BIGINT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX webhooks_name ON webhooks (environment_id, name_key) WHERE deleted_at IS NULL;

-- One event on its way to one receiver. attempts counts all of them and tells late notes from timely ones; tries counts
-- those since it was last asked for and decides the pause before the next.
CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    event_id TEXT NOT NULL REFERENCES webhook_events (id),
    webhook_id TEXT NOT NULL REFERENCES webhooks (id),
    state TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE UNIQUE INDEX webhook_deliveries_event ON webhook_deliveries (event_id, webhook_id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at, id) WHERE finished_at IS NULL;
CREATE INDEX webhook_deliveries_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_environment ON webhook_deliveries (environment_id, id);

-- What became of each attempt. answer is the beginning of what the receiver said.
CREATE TABLE webhook_attempts (
    delivery_id TEXT NOT NULL REFERENCES webhook_deliveries (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    status BIGINT,
    outcome TEXT NOT NULL,
    what TEXT NOT NULL,
    answer TEXT NOT NULL,
    worker TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

-- Whether an event arrived is a matter of each delivery. connection is the one that it is about.
DROP INDEX webhook_events_pending;
ALTER TABLE webhook_events DROP COLUMN state;
ALTER TABLE webhook_events DROP COLUMN finished_at;
ALTER TABLE webhook_events ADD COLUMN connection TEXT;
CREATE INDEX webhook_events_environment ON webhook_events (environment_id, id);

-- When a job that is running was asked for again.
ALTER TABLE jobs ADD COLUMN woken_at BIGINT;
