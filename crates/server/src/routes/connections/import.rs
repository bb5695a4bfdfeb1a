//! Connections that are taken over, in the form of the compatible API.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::Value;
use tombolo_api::{ClientOverride, CreatedConnection, FieldValue, ImportConnection, ImportedCredentials};
use tombolo_platform::catalog::{AuthMode, OAuth1};
use tombolo_platform::connect::GivenCredentials;
use tombolo_platform::oauth::{ImportedTokens, VendorTokens};
use tombolo_platform::{
    Access, Belonging, ConnectionImport, ImportedCredentials as Imported, OwnClient, Problem,
};

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
            end_user: end_user_of(body.end_user, body.organization),
            webhook_url: body.webhook_url_override.filter(|url| !url.is_empty()),
            session: None,
        },
    };
    let imported = Box::pin(routes.platform.import_connection(access, import)).await;
    let imported = imported.map_err(|problem| match problem.code {
        // The compatible API takes a kind of credential that the provider does not have for a fault of the body.
        "invalid_auth_mode" => Problem::invalid("invalid_body", problem.what, problem.fix),
        _ => problem,
    })?;
    Ok(made(&imported))
}

fn credentials(given: ImportedCredentials) -> Imported {
    match given {
        ImportedCredentials::ApiKey { api_key } => typed(AuthMode::ApiKey, [("apiKey", Some(api_key))]),
        ImportedCredentials::Basic { username, password } => {
            typed(AuthMode::Basic, [("username", Some(username)), ("password", Some(password))])
        }
        ImportedCredentials::OAuth2ClientCredentials {
            client_id,
            client_secret,
            client_certificate,
            client_private_key,
            ..
        } => typed(
            AuthMode::OAuth2ClientCredentials,
            [
                ("client_id", Some(client_id)),
                ("client_secret", Some(client_secret)),
                ("client_certificate", client_certificate),
                ("client_private_key", client_private_key),
            ],
        ),
        ImportedCredentials::Tba { token_id, token_secret, config_override } => {
            let (key, secret) =
                config_override.map_or((None, None), |client| (client.client_id, client.client_secret));
            let names = [OAuth1::TOKEN, OAuth1::TOKEN_SECRET, OAuth1::CONSUMER_KEY, OAuth1::CONSUMER_SECRET];
            let values = [Some(token_id), Some(token_secret), key, secret];
            typed(AuthMode::Tba, names.into_iter().zip(values))
        }
        ImportedCredentials::App { app_id, installation_id, private_key } => typed(
            AuthMode::App,
            [
                ("app_id", Some(app_id)),
                ("installation_id", Some(installation_id)),
                ("private_key", private_key),
            ],
        ),
        ImportedCredentials::None {} => typed(AuthMode::None, []),
        ImportedCredentials::Jwt { fields } => all_of(AuthMode::Jwt, fields),
        ImportedCredentials::TwoStep { fields } => all_of(AuthMode::TwoStep, fields),
        ImportedCredentials::Signature { username, password } => {
            typed(AuthMode::Signature, [("username", Some(username)), ("password", Some(password))])
        }
        ImportedCredentials::Bill { username, password, organization_id, dev_key } => typed(
            AuthMode::Bill,
            [
                ("username", Some(username)),
                ("password", Some(password)),
                ("organization_id", Some(organization_id)),
                ("dev_key", Some(dev_key)),
            ],
        ),
        ImportedCredentials::OAuth2 { access_token, refresh_token, expires_at, config_override } => {
            Imported::Tokens(ImportedTokens {
                tokens: VendorTokens::OAuth2 {
                    access_token: secret(access_token),
                    refresh_token: refresh_token.map(secret),
                    expires_at: expires_at.map(stored),
                },
                client: config_override.and_then(own_client),
            })
        }
        ImportedCredentials::OAuth1 { oauth_token, oauth_token_secret } => Imported::Tokens(ImportedTokens {
            tokens: VendorTokens::OAuth1 { token: secret(oauth_token), secret: secret(oauth_token_secret) },
            client: None,
        }),
    }
}

fn typed<'a>(mode: AuthMode, values: impl IntoIterator<Item = (&'a str, Option<FieldValue>)>) -> Imported {
    let given = values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    all_of(mode, given)
}

fn all_of(mode: AuthMode, values: impl IntoIterator<Item = (String, FieldValue)>) -> Imported {
    let values = values.into_iter().map(|(name, value)| (name, secret(value))).collect();
    Imported::Given(GivenCredentials { mode, values })
}

fn own_client(client: ClientOverride) -> Option<OwnClient> {
    Some(OwnClient {
        mode: AuthMode::OAuth2,
        client_id: client.client_id?.into_typed(),
        client_secret: client.client_secret.map(secret),
        scopes: None,
        config: BTreeMap::new(),
    })
}

fn secret(value: FieldValue) -> SecretString {
    value.into_typed().into()
}
