-- The health of a connection says what somebody has to do, and since when.
UPDATE connections SET health = 'active' WHERE health = 'available';
UPDATE connections SET health = 'failing' WHERE health = 'unavailable';
UPDATE connections SET health = 'needs_reconnecting' WHERE health = 'refused';
ALTER TABLE connections ADD COLUMN health_since BIGINT NOT NULL DEFAULT 0;
UPDATE connections SET health_since = COALESCE(last_tested_at, created_at);

-- When a failing connection is tested again.
ALTER TABLE connections ADD COLUMN next_test_at BIGINT;
UPDATE connections SET next_test_at = 0 WHERE health = 'failing' AND deleted_at IS NULL;
CREATE INDEX connections_next_test ON connections (next_test_at) WHERE next_test_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX connections_last_tested ON connections (COALESCE(last_tested_at, 0))
    WHERE deleted_at IS NULL AND health IN ('unverified', 'active', 'expiring');

-- When the credentials were written, when they end unless a person does something, and how many days before that end
-- people were warned last.
ALTER TABLE connections ADD COLUMN sealed_at BIGINT NOT NULL DEFAULT 0;
UPDATE connections SET sealed_at = updated_at;
ALTER TABLE connections ADD COLUMN ends_at BIGINT;
UPDATE connections SET ends_at = certificate_expires_at;
ALTER TABLE connections ADD COLUMN warned_days BIGINT;
CREATE INDEX connections_ends ON connections (ends_at) WHERE ends_at IS NOT NULL AND deleted_at IS NULL;
