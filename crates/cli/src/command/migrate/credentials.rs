//! What a connection of the other product is imported from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tombolo_api::{
    ClientOverride, EndUserDraft, FieldValue, ImportConnection, ImportedCredentials, Provider,
};

use super::integrations::Usable;
use super::report::{Obstacle, is_something};
use super::wire::{EndUser, Full, Listed, Secrets};

/// Members of credentials that are made from the others, and so made anew.
const DERIVED: [&str; 8] =
    ["type", "token", "access_token", "refresh_token", "expires_at", "raw", "jwtToken", "config_override"];
const RECONNECT: &str = "Have the account linked again here.";

/// What is imported, and what is worth knowing about it.
pub(super) struct Mapped {
    pub(super) import: ImportConnection,
    pub(super) notes: Vec<String>,
}

/// Maps one connection, or says why it cannot move.
pub(super) fn mapped(
    listed: &Listed,
    connection: Full,
    usable: &Usable,
    now: Timestamp,
) -> Result<Mapped, Obstacle> {
    let mut notes = Vec::new();
    let credentials = credentials(&connection, usable, now, &mut notes)?;
    let config = known_config(&usable.provider, connection.connection_config.unwrap_or_default(), &mut notes);
    let who = connection
        .end_user
        .as_ref()
        .map(|user| user.display_name.as_ref().or(user.email.as_ref()).unwrap_or(&user.id).clone());
    let who = who.unwrap_or_else(|| listed.connection_id.clone());
    let name = format!("{} – {who}", usable.display_name);
    let tags = own_tags(connection.tags.unwrap_or_default(), connection.end_user.as_ref());
    let organization = connection.end_user.as_ref().and_then(|user| user.organization.clone());
    let import = ImportConnection {
        provider_config_key: listed.provider_config_key.clone(),
        connection_id: Some(listed.connection_id.clone()),
        name: Some(name.chars().filter(|letter| !letter.is_control()).take(200).collect()),
        credentials,
        connection_config: (!config.is_empty()).then_some(config),
        metadata: connection.metadata.filter(|metadata| !metadata.is_empty()),
        webhook_url_override: connection.webhook_url_override.filter(|url| !url.is_empty()),
        end_user: connection.end_user.map(person),
        organization,
        tags: (!tags.is_empty()).then_some(tags),
    };
    Ok(Mapped { import, notes })
}

fn credentials(
    connection: &Full,
    usable: &Usable,
    now: Timestamp,
    notes: &mut Vec<String>,
) -> Result<ImportedCredentials, Obstacle> {
    let given = &connection.credentials;
    let wanted = |name: &str| wanted(given, name);
    Ok(match given.kind().unwrap_or("NONE") {
        "API_KEY" => ImportedCredentials::ApiKey { api_key: wanted("apiKey")? },
        "BASIC" => ImportedCredentials::Basic {
            username: given.value("username").unwrap_or_else(|| "".into()),
            password: given.value("password").unwrap_or_else(|| "".into()),
        },
        "OAUTH2" => oauth2(given, usable, now, notes)?,
        "OAUTH2_CC" => ImportedCredentials::OAuth2ClientCredentials {
            token: None,
            client_id: wanted("client_id")?,
            client_secret: given.value("client_secret").unwrap_or_else(|| "".into()),
            client_certificate: given.value("client_certificate"),
            client_private_key: given.value("client_private_key"),
            expires_at: None,
        },
        "OAUTH1" => {
            refuse_lost_client(given, usable, None)?;
            ImportedCredentials::OAuth1 {
                oauth_token: wanted("oauth_token")?,
                oauth_token_secret: wanted("oauth_token_secret")?,
            }
        }
        "TBA" => ImportedCredentials::Tba {
            token_id: wanted("token_id")?,
            token_secret: wanted("token_secret")?,
            config_override: override_of(given),
        },
        "APP" => app(connection, usable)?,
        "CUSTOM" => {
            let app = app(connection, usable)?;
            notes.push("the installation moves; the person's own token beside it does not".to_owned());
            app
        }
        "NONE" => ImportedCredentials::None {},
        "JWT" => ImportedCredentials::Jwt { fields: typed(given) },
        "TWO_STEP" => ImportedCredentials::TwoStep { fields: typed(given) },
        "SIGNATURE" => {
            ImportedCredentials::Signature { username: wanted("username")?, password: wanted("password")? }
        }
        "BILL" => ImportedCredentials::Bill {
            username: wanted("username")?,
            password: wanted("password")?,
            organization_id: wanted("organization_id")?,
            dev_key: wanted("dev_key")?,
        },
        other => {
            let what = format!("credentials of the type {other} cannot be taken over");
            return Err(Obstacle::new("credential_type", what, RECONNECT));
        }
    })
}

fn oauth2(
    given: &Secrets,
    usable: &Usable,
    now: Timestamp,
    notes: &mut Vec<String>,
) -> Result<ImportedCredentials, Obstacle> {
    let config_override = override_of(given);
    refuse_lost_client(given, usable, config_override.as_ref())?;
    let expires_at = given.text("expires_at").and_then(|text| text.parse::<Timestamp>().ok());
    let refresh_token = given.value("refresh_token").filter(|_| given.text("refresh_token").is_some());
    if refresh_token.is_none() {
        match expires_at {
            Some(end) if end <= now => {
                let what = "its access token has ended, and there is no refresh token";
                return Err(Obstacle::new("refresh_token_missing", what, RECONNECT));
            }
            Some(end) => notes.push(format!("it has no refresh token, so it ends at {end}")),
            None => {}
        }
    }
    let access_token = wanted(given, "access_token")?;
    Ok(ImportedCredentials::OAuth2 { access_token, refresh_token, expires_at, config_override })
}

/// The installation of an app, with the key of the app.
fn app(connection: &Full, usable: &Usable) -> Result<ImportedCredentials, Obstacle> {
    let config = connection.connection_config.as_ref();
    let text = |name: &str| config.and_then(|config| plain(config.get(name)?)).map(FieldValue::from);
    let client = usable.client.as_ref();
    let app_id = text("app_id").or_else(|| client?.value("app_id"));
    let (Some(app_id), Some(installation_id)) = (app_id, text("installation_id")) else {
        let what = "its app or its installation is not known";
        return Err(Obstacle::new("credentials_incomplete", what, RECONNECT));
    };
    let private_key = client.and_then(|client| client.value("private_key")).ok_or_else(lost_client)?;
    Ok(ImportedCredentials::App { app_id, installation_id, private_key: Some(private_key) })
}

fn wanted(given: &Secrets, name: &str) -> Result<FieldValue, Obstacle> {
    given.value(name).ok_or_else(|| {
        let what = format!("its credentials have no `{name}`");
        Obstacle::new("credentials_incomplete", what, RECONNECT)
    })
}

/// Tokens that can be renewed need the client that they were given to.
fn refuse_lost_client(
    given: &Secrets,
    usable: &Usable,
    instead: Option<&ClientOverride>,
) -> Result<(), Obstacle> {
    let needs_it = given.kind() == Some("OAUTH1") || given.text("refresh_token").is_some();
    if needs_it && instead.is_none() && !usable.has_oauth_client { Err(lost_client()) } else { Ok(()) }
}

fn lost_client() -> Obstacle {
    let what =
        "the integration has no client, app or key of its own there, so its tokens cannot be renewed here";
    let fix = "Register a client with the vendor, make it with `tombolo oauth-client create`, and have the account linked again.";
    Obstacle::new("no_oauth_client", what, fix)
}

fn override_of(given: &Secrets) -> Option<ClientOverride> {
    let client = given.below("config_override")?;
    let client_id = client.text("client_id")?.to_owned();
    Some(ClientOverride { client_id: Some(client_id.into()), client_secret: client.value("client_secret") })
}

/// Everything that somebody typed.
fn typed(given: &Secrets) -> BTreeMap<String, FieldValue> {
    let names = given.names().filter(|name| !DERIVED.contains(name));
    names.filter_map(|name| Some((name.to_owned(), given.value(name)?))).collect()
}

/// The configuration as far as the provider knows it here. What it does not know is noted, so that nobody looks for it.
fn known_config(
    provider: &Provider,
    given: Map<String, Value>,
    notes: &mut Vec<String>,
) -> Map<String, Value> {
    let schemes = provider.auth_schemes.iter().flat_map(|scheme| &scheme.fields);
    let gates = provider.gates.iter().flat_map(|gate| &gate.fields);
    let settings = provider.settings.iter().map(|setting| &setting.field);
    let known: Vec<&str> = (provider.fields.iter().chain(schemes).chain(gates).chain(settings))
        .map(|field| field.name.as_str())
        .collect();
    let (mut config, mut left_out) = (Map::new(), Vec::new());
    for (name, value) in given {
        let ours: String =
            name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
        let other = format!("config_{ours}");
        let found =
            [name.as_str(), &ours, &other].into_iter().find(|name| known.contains(name)).map(str::to_owned);
        match (found, plain(&value)) {
            (Some(ours), Some(text)) if !text.is_empty() => drop(config.insert(ours, text.into())),
            (None, _) if is_something(&value) => left_out.push(name),
            _ => {}
        }
    }
    if !left_out.is_empty() {
        notes.push(format!("members of its configuration that are no fields here: {}", left_out.join(", ")));
    }
    config
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The tags that somebody gave: those that say who the person is are made from the person.
fn own_tags(mut tags: BTreeMap<String, String>, user: Option<&EndUser>) -> BTreeMap<String, String> {
    let Some(user) = user else { return tags };
    let organization = user.organization.as_ref();
    let derived = [
        ("end_user_id", Some(&user.id)),
        ("end_user_email", user.email.as_ref()),
        ("end_user_display_name", user.display_name.as_ref()),
        ("organization_id", organization.map(|known| &known.id)),
        ("organization_display_name", organization.and_then(|known| known.display_name.as_ref())),
    ];
    tags.retain(|tag, value| !derived.iter().any(|(name, of_user)| tag == name && *of_user == Some(value)));
    tags
}

fn person(user: EndUser) -> EndUserDraft {
    let EndUser { id, email, display_name, tags, organization: _ } = user;
    EndUserDraft { id, email, display_name, tags: tags.filter(|tags| !tags.is_empty()) }
}
