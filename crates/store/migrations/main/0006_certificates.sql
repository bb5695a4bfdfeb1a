-- When the client certificate of a connection ends. It stands in the open, so that people can be warned without opening a
-- secret.
ALTER TABLE connections ADD COLUMN certificate_expires_at BIGINT;
CREATE INDEX connections_certificate ON connections (certificate_expires_at)
    WHERE certificate_expires_at IS NOT NULL AND deleted_at IS NULL;
