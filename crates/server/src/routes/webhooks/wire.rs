use tombolo_api as api;
use tombolo_platform::store;

use super::super::moment::moment;

pub(super) fn webhook(webhook: &store::Webhook) -> api::Webhook {
    api::Webhook {
        id: webhook.id.to_string(),
        name: webhook.name.clone(),
        url: webhook.url.clone(),
        format: match webhook.format {
            store::WebhookFormat::Standard => api::WebhookFormat::Standard,
            store::WebhookFormat::Nango => api::WebhookFormat::Nango,
        },
        event_types: webhook.event_types.clone(),
        enabled: webhook.disabled_at.is_none(),
        disabled_at: webhook.disabled_at.map(moment),
        disabled_reason: webhook.disabled_reason.clone(),
        failing_since: webhook.failing_since.map(moment),
        paused_until: webhook.paused_until.map(moment),
        previous_secret_until: webhook.previous_until.map(moment),
        version: webhook.version,
        created_at: moment(webhook.created_at),
        updated_at: moment(webhook.updated_at),
    }
}

pub(super) fn stored_format(format: api::WebhookFormat) -> store::WebhookFormat {
    match format {
        api::WebhookFormat::Standard => store::WebhookFormat::Standard,
        api::WebhookFormat::Nango => store::WebhookFormat::Nango,
    }
}

pub(super) fn stored_state(state: api::WebhookDeliveryState) -> store::WebhookDeliveryState {
    match state {
        api::WebhookDeliveryState::Pending => store::WebhookDeliveryState::Pending,
        api::WebhookDeliveryState::Delivered => store::WebhookDeliveryState::Delivered,
        api::WebhookDeliveryState::Failed => store::WebhookDeliveryState::Failed,
        api::WebhookDeliveryState::Skipped => store::WebhookDeliveryState::Skipped,
    }
}

pub(super) fn delivery(delivery: store::WebhookDelivery) -> api::WebhookDelivery {
    let state = match delivery.state {
        store::WebhookDeliveryState::Pending => api::WebhookDeliveryState::Pending,
        store::WebhookDeliveryState::Delivered => api::WebhookDeliveryState::Delivered,
        store::WebhookDeliveryState::Failed => api::WebhookDeliveryState::Failed,
        store::WebhookDeliveryState::Skipped => api::WebhookDeliveryState::Skipped,
    };
    let is_on_its_way = state == api::WebhookDeliveryState::Pending;
    api::WebhookDelivery {
        id: delivery.id.to_string(),
        event: delivery.event.to_string(),
        event_type: delivery.event_type,
        webhook: delivery.webhook.to_string(),
        state,
        attempts: delivery.attempts,
        next_attempt_at: is_on_its_way.then(|| moment(delivery.due_at)),
        created_at: moment(delivery.created_at),
        finished_at: delivery.finished_at.map(moment),
    }
}

pub(super) fn attempt(attempt: store::WebhookAttempt) -> api::WebhookAttempt {
    api::WebhookAttempt {
        number: attempt.number,
        at: moment(attempt.at),
        milliseconds: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
        status: attempt.status,
        outcome: attempt.outcome,
        what: attempt.what,
        answer: attempt.answer,
        worker: attempt.worker,
    }
}
