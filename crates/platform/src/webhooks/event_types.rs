use tombolo_store::WebhookEvent;

/// What embedders are told about. The set grows: a webhook that asks for all types, or for `connection.*`, gets new ones too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// An account was linked.
    ConnectionCreated,
    /// A connection got new credentials from a person.
    ConnectionReconnected,
    /// Name, tags, metadata or settings of a connection changed.
    ConnectionUpdated,
    /// A connection has another health than before.
    ConnectionHealthChanged,
    /// The credentials of a connection end soon unless a person does something.
    ConnectionExpiring,
    /// A connection is gone.
    ConnectionDeleted,
    /// A webhook gets nothing any more, because its receiver failed for days or said that it is gone.
    WebhookDisabled,
    /// Somebody wanted to see whether deliveries arrive; only the webhook that was meant gets it.
    WebhookTest,
}

impl EventType {
    /// Every type.
    pub const ALL: [Self; 8] = [
        Self::ConnectionCreated,
        Self::ConnectionReconnected,
        Self::ConnectionUpdated,
        Self::ConnectionHealthChanged,
        Self::ConnectionExpiring,
        Self::ConnectionDeleted,
        Self::WebhookDisabled,
        Self::WebhookTest,
    ];

    /// Its name in bodies and in the list of a webhook's types.
    pub fn name(self) -> &'static str {
        match self {
            Self::ConnectionCreated => "connection.created",
            Self::ConnectionReconnected => "connection.reconnected",
            Self::ConnectionUpdated => "connection.updated",
            Self::ConnectionHealthChanged => "connection.health_changed",
            Self::ConnectionExpiring => "connection.expiring",
            Self::ConnectionDeleted => "connection.deleted",
            Self::WebhookDisabled => "webhook.disabled",
            Self::WebhookTest => "webhook.test",
        }
    }

    /// The type with a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    pub(super) fn of(event: &WebhookEvent) -> Option<Self> {
        Self::named(&event.event_type)
    }

    /// Whether a text is a type, or a pattern such as `connection.*` that covers at least one.
    pub(super) fn is_wanted_by(pattern: &str) -> bool {
        Self::ALL.iter().any(|known| match pattern.strip_suffix('*') {
            Some(stem) => (stem.is_empty() || stem.ends_with('.')) && known.name().starts_with(stem),
            None => known.name() == pattern,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_and_stems_of_types_can_be_asked_for() {
        for (pattern, expected) in [
            ("connection.created", true),
            ("connection.*", true),
            ("*", true),
            ("connection.creat*", false),
            ("connection", false),
            ("order.*", false),
            ("", false),
        ] {
            assert_eq!(EventType::is_wanted_by(pattern), expected, "{pattern}");
        }
    }
}
