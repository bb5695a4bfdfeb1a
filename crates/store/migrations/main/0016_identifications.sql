-- People who are at an identity provider, to sign in or to link their account there. The state and what their browser shows
-- are kept as hashes. user_id is whose sign-in is to be linked, return_path where the browser goes on to.
CREATE TABLE identifications (
    state_hash BYTEA PRIMARY KEY,
    browser_hash BYTEA NOT NULL,
    user_id TEXT REFERENCES users (id),
    return_path TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX identifications_expires ON identifications (expires_at);
