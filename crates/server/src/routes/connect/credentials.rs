//! The bodies in which the compatible API's clients send what somebody typed, one for each way to authenticate.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use tombolo_api::FieldValue;
use tombolo_platform::Problem;
use tombolo_platform::catalog::{FieldError, Text};
use tombolo_platform::connect::Typed;
use utoipa::ToSchema;

/// Values by the names that the compatible API has for them.
pub(super) type Given = Typed;

/// An API key, or several separated by commas where the provider takes several.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKeyCredentials {
    /// The key.
    #[serde(rename = "apiKey")]
    api_key: FieldValue,
}

impl ApiKeyCredentials {
    pub(super) fn given(self) -> Given {
        given([("apiKey", Some(self.api_key))])
    }
}

/// A user name and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BasicCredentials {
    /// The user name; may be empty.
    #[serde(default = "empty")]
    username: FieldValue,
    /// The password; may be empty.
    #[serde(default = "empty")]
    password: FieldValue,
}

impl BasicCredentials {
    pub(super) fn given(self) -> Given {
        given([("username", Some(self.username)), ("password", Some(self.password))])
    }
}

/// An OAuth client that is itself the credential.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientCredentials {
    /// The client's id.
    #[serde(rename = "client_id")]
    id: FieldValue,
    /// The client's secret.
    #[serde(rename = "client_secret")]
    #[schema(value_type = Option<String>)]
    secret: Option<FieldValue>,
    /// The certificate that the token endpoint asks for, in PEM.
    #[serde(rename = "client_certificate")]
    #[schema(value_type = Option<String>)]
    certificate: Option<FieldValue>,
    /// The key of the certificate, or the key that signs the client's assertions, in PEM.
    #[serde(rename = "client_private_key")]
    #[schema(value_type = Option<String>)]
    private_key: Option<FieldValue>,
}

impl ClientCredentials {
    pub(super) fn given(self) -> Given {
        given([
            ("client_id", Some(self.id)),
            ("client_secret", self.secret),
            ("client_certificate", self.certificate),
            ("client_private_key", self.private_key),
        ])
    }
}

/// A token of OAuth 1.0a.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenCredentials {
    /// The token.
    token_id: FieldValue,
    /// The token's secret.
    token_secret: FieldValue,
    /// The id of the client, instead of the integration's.
    #[schema(value_type = Option<String>)]
    oauth_client_id_override: Option<FieldValue>,
    /// The secret of the client, instead of the integration's.
    #[schema(value_type = Option<String>)]
    oauth_client_secret_override: Option<FieldValue>,
}

impl TokenCredentials {
    pub(super) fn given(self) -> Given {
        given([
            ("token_id", Some(self.token_id)),
            ("token_secret", Some(self.token_secret)),
            ("oauth_client_id_override", self.oauth_client_id_override),
            ("oauth_client_secret_override", self.oauth_client_secret_override),
        ])
    }
}

/// A user's and a developer's secrets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BillCredentials {
    /// The user name.
    username: FieldValue,
    /// The password.
    password: FieldValue,
    /// The organization.
    organization_id: FieldValue,
    /// The developer's key.
    dev_key: FieldValue,
}

impl BillCredentials {
    pub(super) fn given(self) -> Given {
        given([
            ("username", Some(self.username)),
            ("password", Some(self.password)),
            ("organization_id", Some(self.organization_id)),
            ("dev_key", Some(self.dev_key)),
        ])
    }
}

/// A user name and the secret that requests carry a digest of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignatureCredentials {
    /// The user name.
    username: FieldValue,
    /// The secret.
    password: FieldValue,
    /// What the clients send beside it; it says nothing more.
    #[serde(rename = "type", default)]
    #[schema(value_type = Option<String>)]
    _kind: IgnoredAny,
}

impl SignatureCredentials {
    pub(super) fn given(self) -> Given {
        given([("username", Some(self.username)), ("password", Some(self.password))])
    }
}

/// A role that is assumed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AwsRole {
    /// The name of the role.
    role_arn: FieldValue,
    /// The region that requests are signed for.
    #[schema(value_type = Option<String>)]
    region: Option<FieldValue>,
}

impl AwsRole {
    pub(super) fn given(self) -> Given {
        given([("role_arn", Some(self.role_arn)), ("region", self.region)])
    }
}

/// Nothing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoCredentials {}

/// The fields of a credential by the names of the provider.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = BTreeMap<String, String>)]
pub(super) struct FreeCredentials(BTreeMap<String, FreeValue>);

/// A field of a credential whose form the provider decides.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, a number, a truth value or an object of texts")]
enum FreeValue {
    Text(String),
    Truth(bool),
    Number(serde_json::Number),
    Parts(BTreeMap<String, String>),
}

impl FreeCredentials {
    /// The fields in one list. Quirks of the compatible API: `type` is not one, `assertionOption` holds more of them, and
    /// a key in two parts, `id` and `secret`, is written with a colon between.
    pub(super) fn given(self) -> Result<Given, Problem> {
        let mut all = Given::new();
        for (name, value) in self.0 {
            let text = match (name.as_str(), value) {
                ("type", _) => continue,
                ("assertionOption", FreeValue::Parts(options)) => {
                    all.extend(options.into_iter().map(|(name, value)| (name, value.into())));
                    continue;
                }
                (_, FreeValue::Text(text)) => text,
                (_, FreeValue::Truth(truth)) => truth.to_string(),
                (_, FreeValue::Number(number)) => number.to_string(),
                (_, FreeValue::Parts(parts)) => in_two_parts(&name, &parts)?,
            };
            all.insert(name, text.into());
        }
        Ok(all)
    }
}

fn in_two_parts(name: &str, parts: &BTreeMap<String, String>) -> Result<String, Problem> {
    if let (Some(id), Some(secret), 2) = (parts.get("id"), parts.get("secret"), parts.len()) {
        return Ok(format!("{id}:{secret}"));
    }
    let message = Text {
        en: "Expected a text, or an object with `id` and `secret`.".to_owned(),
        ja: "文字列、または「id」と「secret」を持つオブジェクトを指定してください。".to_owned(),
    };
    let name: String = name.chars().take(80).collect();
    Err(Problem::fields(vec![FieldError { field: name, code: "invalid_type", message }]))
}

fn given<const N: usize>(values: [(&str, Option<FieldValue>); N]) -> Given {
    let values = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
    values.map(|(name, value)| (name.to_owned(), value.into_typed().into())).collect()
}

fn empty() -> FieldValue {
    String::new().into()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn what_the_clients_send_becomes_one_list_of_texts() {
        for (body, expected) in [
            (r#"{"type":"TWO_STEP","user":"a","port":5,"live":true}"#, "live=true port=5 user=a"),
            (r#"{"clientId":"c","assertionOption":{"privateKey":"k"}}"#, "clientId=c privateKey=k"),
            (r#"{"privateKey":{"id":"i","secret":"s"}}"#, "privateKey=i:s"),
            (r#"{"privateKey":{"id":"i"}}"#, "privateKey: invalid_type"),
            (r#"{"type":"JWT"}"#, ""),
        ] {
            let body: FreeCredentials = serde_json::from_str(body).expect("fits");
            let told = match body.given() {
                Ok(all) => {
                    let all = all.iter().map(|(name, value)| format!("{name}={}", value.expose_secret()));
                    all.collect::<Vec<_>>().join(" ")
                }
                Err(problem) => format!("{}: {}", problem.fields[0].field, problem.fields[0].code),
            };
            assert_eq!(told, expected);
        }
    }
}
