use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use tombolo_vault::{Random, RandomnessUnavailable};
use uuid::Builder;

use crate::timestamp::Timestamp;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{text:?} is not an id of this kind: it must be {prefix:?} followed by 32 lower-case hexadecimal digits"
)]
pub struct InvalidId {
    /// What was given.
    pub text: String,
    /// How ids of the wanted kind begin.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$documentation:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$documentation])*
        ///
        #[doc = concat!("Text: `", $prefix, "` and a UUID version 7 (RFC 9562, 5.7) without dashes; sorts by time of creation.")]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// How ids of this kind begin.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, made at `at`.
            pub fn generate(at: Timestamp, random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
                generate(Self::PREFIX, at, None, random).map(Self)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                check(Self::PREFIX, text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl From<&$name> for crate::database::Value {
            fn from(id: &$name) -> Self {
                id.as_str().into()
            }
        }

        impl From<Option<&$name>> for crate::database::Value {
            fn from(id: Option<&$name>) -> Self {
                id.map(|id| id.0.clone()).into()
            }
        }
    )*};
}

ids! {
    /// Names an environment.
    EnvironmentId "env_";
    /// Names an integration.
    IntegrationId "int_";
    /// Names a connection.
    ConnectionId "con_";
    /// Names an OAuth client of ours at a vendor.
    OAuthClientId "oac_";
    /// Names an attempt to link an account at the vendor.
    AuthorizationId "aut_";
    /// Names a connect session; not secret.
    ConnectSessionId "ses_";
    /// Names an API key; not secret.
    ApiKeyId "key_";
    /// Names a job.
    JobId "job_";
    /// Names an audit event.
    AuditEventId "aud_";
    /// Names a webhook event; receivers use it to drop repeated deliveries.
    WebhookEventId "evt_";
    /// Names a receiver of webhook events.
    WebhookId "whk_";
    /// Names one event on its way to one receiver.
    WebhookDeliveryId "whd_";
    /// Names somebody who is told about the health of connections.
    RecipientId "rcp_";
    /// Names a person who signs in.
    UserId "usr_";
    /// Names what a person is signed in with in one browser; not secret.
    SignInId "sin_";
    /// Names somebody's wish to use a provider.
    ProviderRequestId "prq_";
    /// Names an installation.
    InstanceId "ins_";
}

impl AuditEventId {
    /// Ids of one act made in the same millisecond sort by `position`, so that the chain keeps their order.
    pub(crate) fn at_position(
        at: Timestamp,
        position: usize,
        random: &dyn Random,
    ) -> Result<Self, RandomnessUnavailable> {
        generate(Self::PREFIX, at, Some(position), random).map(Self)
    }
}

/// An id for rows that nobody names from outside.
pub(crate) fn generate_text(
    prefix: &str,
    at: Timestamp,
    random: &dyn Random,
) -> Result<String, RandomnessUnavailable> {
    generate(prefix, at, None, random)
}

fn generate(
    prefix: &str,
    at: Timestamp,
    position: Option<usize>,
    random: &dyn Random,
) -> Result<String, RandomnessUnavailable> {
    let mut random_bytes = [0; 10];
    random.fill(&mut random_bytes)?;
    if let Some(position) = position {
        // The first twelve of the random bits stand right after the time; the version number hides the first four of them.
        let position = u16::try_from(position).unwrap_or(0x0fff).min(0x0fff);
        random_bytes[..2].copy_from_slice(&position.to_be_bytes());
    }
    let milliseconds = at.as_milliseconds().max(0).unsigned_abs();
    let uuid = Builder::from_unix_timestamp_millis(milliseconds, &random_bytes).into_uuid();
    Ok(format!("{prefix}{}", uuid.simple()))
}

fn check(prefix: &'static str, text: &str) -> Result<(), InvalidId> {
    let digits = text.strip_prefix(prefix).unwrap_or_default();
    let valid = digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if valid { Ok(()) } else { Err(InvalidId { text: text.chars().take(64).collect(), prefix }) }
}

#[cfg(test)]
mod tests {
    use tombolo_vault::testing::SeededRandom;

    use super::*;

    #[test]
    fn ids_carry_their_time_and_read_back() {
        let at = Timestamp::from_milliseconds(1_764_000_000_000);
        let id = ConnectionId::generate(at, &SeededRandom::new(1)).unwrap();

        insta::assert_snapshot!(id, @"con_019ab697e8007838a5822a6f9e62da21");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert!(id.as_str().parse::<EnvironmentId>().is_err());
    }

    #[test]
    fn ids_sort_by_time_and_then_by_position() {
        let random = SeededRandom::new(1);
        let at = Timestamp::from_milliseconds;
        let ids = [(1000, 0), (1000, 1), (1000, 2), (1000, 300), (1001, 0)]
            .map(|(time, position)| AuditEventId::at_position(at(time), position, &random).unwrap());

        assert!(ids.is_sorted());
    }

    #[test]
    fn other_texts_are_refused() {
        let long = format!("con_{}", "a".repeat(33));
        let upper = format!("con_{}", "A".repeat(32));
        for text in ["", "con_", "con_xyz", &long, &upper, "con_../../../../../../../../../../../.."] {
            assert!(text.parse::<ConnectionId>().is_err(), "{text:?}");
        }
    }
}
