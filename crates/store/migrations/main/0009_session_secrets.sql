-- Secrets that were handed over for the account of a session before it is linked, such as a client certificate for an
-- account that a person links in a window. They are gone when the session ends.
ALTER TABLE connect_sessions ADD COLUMN sealed BYTEA;
ALTER TABLE connect_sessions ADD COLUMN sealed_version BIGINT NOT NULL DEFAULT 0;

-- The row of a deleted variable stays without its value: the versions of another variable of the name go on from it, so
-- that no older value ever fits again.
ALTER TABLE environment_variables ADD COLUMN deleted_at BIGINT;

-- How many windows a session has opened, and whether anybody has named a socket.
CREATE INDEX authorizations_session ON authorizations (connect_session);
CREATE INDEX authorizations_socket ON authorizations (socket_hash);
