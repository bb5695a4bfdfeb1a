//! Connections that are taken over, in the form of the compatible API.

use secrecy::SecretString;
use serde_json::Value;
use tombolo_api::{CreatedConnection, FieldValue, ImportConnection, ImportedCredentials};
use tombolo_platform::catalog::AuthMode;
use tombolo_platform::connect::GivenCredentials;
use tombolo_platform::oauth::ImportedTokens;
use tombolo_platform::{Access, Belonging, ConnectionImport, ImportedCredentials as Imported, Problem};

use super::create::made;
use crate::routes::Routes;
use crate::routes::connect::{end_user_of, text_of};
use crate::routes::moment::stored;

pub(super) async fn import(
    routes: &Routes,
    access: &Access,
    body: ImportConnection,
) -> Result<CreatedConnection, Problem> {
    let config = body.connection_config.unwrap_or_default();
    let import = ConnectionImport {
        integration: body.provider_config_key,
        name: body.name,
        connection_id: body.connection_id,
        credentials: credentials(body.credentials),
        config: config
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, text_of(value)))
            .collect(),
        tags: body.tags.unwrap_or_default(),
        metadata: Value::Object(body.metadata.unwrap_or_default()),
        belonging: Belonging {
            end_user: end_user_of(body.end_user, None),
            webhook_url: body.webhook_url_override.filter(|url| !url.is_empty()),
            session: None,
        },
    };
    let imported = Box::pin(routes.platform.import_connection(access, import)).await?;
    Ok(made(&imported))
}

fn credentials(given: ImportedCredentials) -> Imported {
    let secret = |value: FieldValue| SecretString::from(value.into_typed());
    let named = |mode, values: Vec<(&str, FieldValue)>| {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), secret(value))).collect();
        Imported::Given(GivenCredentials { mode, values })
    };
    match given {
        ImportedCredentials::ApiKey { api_key } => named(AuthMode::ApiKey, vec![("apiKey", api_key)]),
        ImportedCredentials::Basic { username, password } => {
            named(AuthMode::Basic, vec![("username", username), ("password", password)])
        }
        ImportedCredentials::OAuth2ClientCredentials { client_id, client_secret, .. } => named(
            AuthMode::OAuth2ClientCredentials,
            vec![("client_id", client_id), ("client_secret", client_secret)],
        ),
        ImportedCredentials::OAuth2 { access_token, refresh_token, expires_at } => {
            Imported::Tokens(ImportedTokens {
                access_token: secret(access_token),
                refresh_token: refresh_token.map(secret),
                expires_at: expires_at.map(stored),
            })
        }
    }
}
