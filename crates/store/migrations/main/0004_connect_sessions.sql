-- What the administrators of an environment decided: a JSON object.
ALTER TABLE environments ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';

-- The client through which people authorise connections of an integration unless another one is named.
ALTER TABLE integrations ADD COLUMN oauth_client_id TEXT;

-- 1 for a client that was registered with the redirect URI that all clients of the compatible API share.
ALTER TABLE oauth_clients ADD COLUMN shared_callback BIGINT NOT NULL DEFAULT 0;

-- The end user whom a connection belongs to (JSON, null when nobody said), and where news of it alone are delivered.
ALTER TABLE connections ADD COLUMN end_user TEXT NOT NULL DEFAULT 'null';
ALTER TABLE connections ADD COLUMN webhook_url TEXT;

-- Short rights of a browser to link one account, or to link the account of one connection again. Of the token only the
-- hash is kept.
CREATE TABLE connect_sessions (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    token_hash BYTEA NOT NULL,
    draft TEXT NOT NULL,
    connection TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX connect_sessions_token ON connect_sessions (token_hash);
CREATE INDEX connect_sessions_expires ON connect_sessions (expires_at);

-- The session that an attempt belongs to, the version of the connection that it links again, and the browser's socket
-- that waits for its outcome.
ALTER TABLE authorizations ADD COLUMN connect_session TEXT;
ALTER TABLE authorizations ADD COLUMN links_again BIGINT;
ALTER TABLE authorizations ADD COLUMN socket_hash BYTEA;
CREATE INDEX authorizations_connection ON authorizations (connection);

-- What is to be told to a browser's socket, which another process may hold.
CREATE TABLE socket_messages (
    id TEXT PRIMARY KEY,
    socket_hash BYTEA NOT NULL,
    message TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX socket_messages_socket ON socket_messages (socket_hash);
CREATE INDEX socket_messages_created ON socket_messages (created_at);

-- Named values of an environment for the programs of embedders.
CREATE TABLE environment_variables (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    sealed_version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, name)
);
