-- Renewals of credentials that have begun and not succeeded: written before the vendor is asked, removed together with
-- the writing of the new credentials. A row whose lease ran out tells of a process that died in between.
-- interrupted_* stays until a renewal succeeds: from then on the vendor may have replaced the refresh token.
CREATE TABLE renewals (
    connection TEXT PRIMARY KEY REFERENCES connections (id),
    sealed_version BIGINT NOT NULL,
    node TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    interrupted_at BIGINT,
    interrupted_node TEXT,
    failing_since BIGINT,
    retry_at BIGINT,
    failure TEXT NOT NULL
);
