-- Accounts that wait for their confirmation are looked for on a page that people open often.
CREATE INDEX authorizations_unconfirmed ON authorizations (environment_id, id)
    WHERE stage = 'unconfirmed' AND connect_session IS NULL;
