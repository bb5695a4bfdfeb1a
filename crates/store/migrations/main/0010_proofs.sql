-- The hash of what proves to whoever made the link in which browser an authorization was finished, and how often
-- somebody has tried the short form of it that is typed.
ALTER TABLE authorizations ADD COLUMN proof_hash BYTEA;
ALTER TABLE authorizations ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;

-- When a browser's socket is told, at the earliest.
ALTER TABLE socket_messages ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
