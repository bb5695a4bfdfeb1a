use jiff::Timestamp as Moment;
use serde_json::{Value as Json, json};
use tombolo_catalog::Catalog;
use tombolo_store::{WebhookEvent, WebhookFormat};

use super::event_types::EventType;

/// The body of an event for a webhook; `None` when its format has no word for the event. It is the same, byte by byte, at
/// every attempt: members keep their order.
pub(super) fn body_of(format: WebhookFormat, event: &WebhookEvent, catalog: &Catalog) -> Option<Vec<u8>> {
    let body = match format {
        WebhookFormat::Standard => standard(event),
        WebhookFormat::Nango => compatible(event, catalog)?,
    };
    Some(body.to_string().into_bytes())
}

/// As the Standard Webhooks specification recommends.
fn standard(event: &WebhookEvent) -> Json {
    let at = Moment::from_millisecond(event.created_at.as_milliseconds()).unwrap_or(Moment::MIN);
    json!({ "type": event.event_type, "timestamp": at.to_string(), "data": event.payload })
}

/// The `auth` webhook of the compatible API. Its receivers know three operations and nothing else.
fn compatible(event: &WebhookEvent, catalog: &Catalog) -> Option<Json> {
    let (operation, success) = match EventType::of(event)? {
        EventType::ConnectionCreated => ("creation", true),
        EventType::ConnectionReconnected => ("override", true),
        EventType::ConnectionHealthChanged => ("refresh", can_be_used(&event.payload["detail"])?),
        // Not one that a receiver acts upon: it answers yes to what it does not know.
        EventType::WebhookTest => return Some(json!({ "from": "nango", "type": "webhook.test" })),
        EventType::ConnectionUpdated
        | EventType::ConnectionDeleted
        | EventType::ConnectionExpiring
        | EventType::WebhookDisabled => return None,
    };
    let connection = &event.payload["connection"];
    let provider = connection["provider"].as_str()?;
    let mut body = json!({
        "from": "nango",
        "type": "auth",
        "connectionId": connection["connection_id"],
        "providerConfigKey": connection["integration"],
        "authMode": auth_mode(catalog, provider, connection["auth_scheme"].as_str()?),
        "provider": provider,
        "environment": connection["environment"],
        "operation": operation,
        "success": success,
        "tags": connection["tags"],
    });
    if connection["end_user"].is_object() {
        body["endUser"] = end_user(&connection["end_user"]);
    }
    if !success {
        let detail = &event.payload["detail"];
        let kind = detail["why"]["code"].as_str().unwrap_or("credentials_refused");
        let description = if detail["to"] == "failing" {
            "The connection does not work: a test of it failed, or its tokens could not be renewed."
        } else {
            "The credentials are no longer accepted: the account has to be linked again."
        };
        body["error"] = json!({ "type": kind, "description": description });
    }
    Some(body)
}

/// Whether a change of health means that the connection works again, or that it does not; `None` for a change in between.
fn can_be_used(detail: &Json) -> Option<bool> {
    let worked = |health: &Json| match health.as_str()? {
        "active" | "expiring" => Some(true),
        "failing" | "needs_reconnecting" => Some(false),
        _ => None,
    };
    let now = worked(&detail["to"])?;
    (worked(&detail["from"]) != Some(now)).then_some(now)
}

/// How the compatible API calls the scheme of a connection; a scheme that is no longer in the catalog has no name.
fn auth_mode(catalog: &Catalog, provider: &str, scheme: &str) -> &'static str {
    let scheme = catalog.get(provider).and_then(|provider| provider.scheme(scheme));
    scheme.map_or("NONE", |scheme| scheme.auth_mode().name())
}

/// The end user as the compatible API spells one.
fn end_user(known: &Json) -> Json {
    json!({
        "endUserId": known["id"],
        "endUserEmail": known["email"],
        "displayName": known["display_name"],
        "organizationId": known["organization"]["id"],
        "organizationDisplayName": known["organization"]["display_name"],
        "tags": known["tags"],
    })
}
