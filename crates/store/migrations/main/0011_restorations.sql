-- What tells a database from an older state of itself. home names the place where it lives: the PostgreSQL cluster and its
-- time line, or a random text that the data directory knows too. restorations counts how often an older state was noticed.
ALTER TABLE instance ADD COLUMN home TEXT;
ALTER TABLE instance ADD COLUMN restorations BIGINT NOT NULL DEFAULT 0;

-- Set when the refresh token may be older than the one that the vendor gave last: it is used when somebody says so.
ALTER TABLE connections ADD COLUMN restored_at BIGINT;
-- Whether the vendor gave no new refresh token the last time: 1, 0, or not known yet.
ALTER TABLE connections ADD COLUMN keeps_refresh_token BIGINT;
