-- Whom an environment tells about the health of its connections. sealed holds the address of a chat, which is a secret, and
-- hosts what it is bound to; address is that of a mailbox. A recipient with a message that was just sent gets the next one
-- later: sent_at. kinds are what it wants to hear, all when empty.
CREATE TABLE recipients (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    sealed BYTEA,
    sealed_version BIGINT NOT NULL,
    hosts TEXT NOT NULL,
    language TEXT NOT NULL,
    kinds TEXT NOT NULL,
    disabled_at BIGINT,
    sent_at BIGINT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX recipients_name ON recipients (environment_id, name_key) WHERE deleted_at IS NULL;

-- The last news of a connection for a recipient: due_at while it was not told, told and told_at what was last told. There is
-- one row for each pair, so that news that are older than the last ones are never told.
CREATE TABLE notices (
    recipient_id TEXT NOT NULL REFERENCES recipients (id),
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    days_left BIGINT,
    happened_at BIGINT NOT NULL,
    due_at BIGINT,
    told TEXT,
    told_at BIGINT,
    PRIMARY KEY (recipient_id, connection)
);
CREATE INDEX notices_due ON notices (recipient_id, due_at) WHERE due_at IS NOT NULL;

-- Links of messages under which an account can be linked again. Of the link only the hash is kept. authorization_id is what
-- was last begun from it.
CREATE TABLE reconnect_links (
    link_hash BYTEA PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    connection TEXT NOT NULL,
    authorization_id TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX reconnect_links_expires ON reconnect_links (expires_at);
