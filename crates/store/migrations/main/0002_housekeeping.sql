-- Webhook events are forgotten by their age, delivered or not.
DROP INDEX webhook_events_finished;
CREATE INDEX webhook_events_created ON webhook_events (created_at);

-- Audit events are chained without a schedule and jobs: an installation where nothing happens writes nothing.
DELETE FROM schedules WHERE name = 'audit_chain';
DELETE FROM jobs WHERE kind = 'audit_chain';
