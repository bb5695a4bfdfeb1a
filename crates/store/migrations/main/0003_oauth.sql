-- Clients that are registered with vendors. callback is the last part of the redirect URI: every client has one of its
-- own. hosts is empty where the provider's file alone decides which token endpoints the secret may go to.
CREATE TABLE oauth_clients (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    provider TEXT NOT NULL,
    auth_scheme TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    callback TEXT NOT NULL,
    client_id TEXT NOT NULL,
    config TEXT NOT NULL,
    scopes TEXT NOT NULL,
    hosts TEXT NOT NULL,
    sealed BYTEA,
    sealed_version BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX oauth_clients_callback ON oauth_clients (callback);
CREATE UNIQUE INDEX oauth_clients_name ON oauth_clients (environment_id, name_key) WHERE deleted_at IS NULL;

-- Attempts of a person to link an account at the vendor. Whoever may begin, finish and confirm one proves it with a
-- secret of which only the hash is kept. sealed holds the PKCE verifier, and after the vendor's answer the tokens.
CREATE TABLE authorizations (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    oauth_client_id TEXT NOT NULL REFERENCES oauth_clients (id),
    connection TEXT NOT NULL,
    start_hash BYTEA NOT NULL,
    state_hash BYTEA,
    browser_hash BYTEA,
    stage TEXT NOT NULL,
    draft TEXT NOT NULL,
    hosts TEXT NOT NULL,
    sealed BYTEA,
    sealed_version BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX authorizations_start ON authorizations (start_hash);
CREATE UNIQUE INDEX authorizations_state ON authorizations (state_hash) WHERE state_hash IS NOT NULL;
CREATE INDEX authorizations_expires ON authorizations (expires_at);

-- The client through which a connection was authorised; when its access token ends, and when it is renewed.
ALTER TABLE connections ADD COLUMN oauth_client_id TEXT;
ALTER TABLE connections ADD COLUMN expires_at BIGINT;
ALTER TABLE connections ADD COLUMN renew_at BIGINT;
CREATE INDEX connections_renew ON connections (renew_at) WHERE renew_at IS NOT NULL AND deleted_at IS NULL;
