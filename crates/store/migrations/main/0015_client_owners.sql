-- Who made a client in a connect session (`organization:` or `end_user:` with the embedder's id) and has it alone; NULL for
-- one of the environment's administrators.
ALTER TABLE oauth_clients ADD COLUMN owner TEXT;
CREATE INDEX oauth_clients_owner ON oauth_clients (environment_id, provider, owner);
