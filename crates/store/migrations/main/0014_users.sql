-- People who sign in to the dashboard. login_key is what decides whether two logins are the same. password_hash is a hash of
-- Argon2 in its text form, absent until the person set a password; issuer and subject are what an identity provider calls
-- the person. version grows with everything that ends what was signed in before.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL,
    login_key TEXT NOT NULL,
    display_name TEXT NOT NULL,
    password_hash TEXT,
    issuer TEXT,
    subject TEXT,
    role TEXT NOT NULL,
    disabled_at BIGINT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    seen_at BIGINT
);
CREATE UNIQUE INDEX users_login ON users (login_key);
CREATE UNIQUE INDEX users_subject ON users (issuer, subject) WHERE subject IS NOT NULL;

-- Whoever is signed in, in one browser. Of the cookie only the hash is kept.
CREATE TABLE sign_ins (
    id TEXT PRIMARY KEY,
    token_hash BYTEA NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    browser TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX sign_ins_token ON sign_ins (token_hash);
CREATE INDEX sign_ins_user ON sign_ins (user_id);
CREATE INDEX sign_ins_expires ON sign_ins (expires_at);

-- Links with which people choose a password, the newest one of each. Of the link only the hash is kept.
CREATE TABLE password_links (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    link_hash BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX password_links_hash ON password_links (link_hash);

-- What servers printed at their start so that whoever reads it becomes the first administrator. set_up_at tells that there is
-- somebody already, and is what two set-ups at the same time compete for.
CREATE TABLE set_up_tokens (
    token_hash BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
ALTER TABLE instance ADD COLUMN set_up_at BIGINT;

-- How often was tried to sign in as somebody or from an address since a moment, by hash.
CREATE TABLE sign_in_attempts (
    subject_hash BYTEA PRIMARY KEY,
    attempts BIGINT NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX sign_in_attempts_since ON sign_in_attempts (since);

-- Providers that somebody would like to use. asked_by and settled_by are ids, with the names of that time.
CREATE TABLE provider_requests (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    provider TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_by_label TEXT NOT NULL,
    answer TEXT NOT NULL,
    settled_by_label TEXT,
    created_at BIGINT NOT NULL,
    settled_at BIGINT
);
CREATE UNIQUE INDEX provider_requests_open ON provider_requests (environment_id, provider, asked_by) WHERE state = 'open';
CREATE INDEX provider_requests_environment ON provider_requests (environment_id, id);
