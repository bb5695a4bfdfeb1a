//! OAuth clients: what an administrator registers with a vendor, kept as objects of their own.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tombolo_auth::{Credentials, CredentialsBuilder, Typed};
use tombolo_catalog::{AuthScheme, GateKind, OAuth2, Provider, Template};
use tombolo_store::{
    Change, ClientOwner, Integration, NewOAuthClient, OAuthClient, OAuthClientId, OAuthClientUpdate, Object,
};
use tombolo_vault::{BoundHost, HostRole, HostSet};

use super::secret_text;
use crate::access::{Access, Scope};
use crate::connections::texts;
use crate::credentials::{Place, Purpose, SealedCredentials, api_host};
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind, field};
use crate::proxy::origin;

/// What an OAuth client is made from.
pub struct OAuthClientDraft {
    /// The provider's id.
    pub provider: String,
    /// The auth scheme; the provider's first one that needs a client when absent.
    pub auth_scheme: Option<String>,
    /// What people call it.
    pub name: String,
    /// Its public id at the vendor; may come later, when it is registered there with the redirect URI.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<SecretString>,
    /// The fields that say where it is registered, such as a tenant's subdomain.
    pub config: BTreeMap<String, String>,
    /// The scopes that are asked for; those of the provider's file when empty.
    pub scopes: Vec<String>,
    /// Whether it was registered with the redirect URI that all clients of the compatible API share. Weaker: an answer for
    /// one of them can be passed off as one for another, and only the stored flow tells them apart.
    pub shared_callback: bool,
}

/// Where an OAuth client comes from that somebody makes in a connect session.
pub(crate) struct ClientOrigin {
    /// The last part of its redirect URI, which the person was shown before.
    pub(crate) callback: String,
    /// Whose it is.
    pub(crate) owner: ClientOwner,
}

/// What may change about an OAuth client; `None` keeps what is there.
#[derive(Default)]
pub struct OAuthClientChange {
    /// What people call it.
    pub name: Option<String>,
    /// Its public id at the vendor.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<SecretString>,
    /// The scopes that are asked for.
    pub scopes: Option<Vec<String>>,
}

impl Platform {
    /// Makes an OAuth client. Its redirect URI is known from then on, so that it can be registered with the vendor.
    pub async fn create_oauth_client(
        &self,
        access: &Access,
        draft: &OAuthClientDraft,
    ) -> Result<OAuthClient, Problem> {
        let (id, changes) = self.new_oauth_client(access, draft, None).await?;
        self.commit(&changes).await?;
        self.find_oauth_client(access, id.as_str()).await
    }

    /// What makes an OAuth client, for the act that needs it.
    pub(crate) async fn new_oauth_client(
        &self,
        access: &Access,
        draft: &OAuthClientDraft,
        of_session: Option<ClientOrigin>,
    ) -> Result<(OAuthClientId, Vec<Change>), Problem> {
        access.require(Scope::CreateIntegration)?;
        let provider = self.known_provider(&draft.provider)?;
        let scheme = scheme_with_client(&provider, draft.auth_scheme.as_deref())?;
        let config = accept_config(&provider, scheme, &draft.config)?;
        if draft.client_secret.is_some() {
            refuse_open(&provider, scheme, &config)
                .map_err(|problem| Problem { kind: ProblemKind::Invalid, ..problem })?;
        }
        let hosts = self.client_hosts(&provider, scheme, &config)?;
        let id =
            OAuthClientId::generate(self.now(), &*self.random).map_err(tombolo_store::StoreError::from)?;
        let sealed = match &draft.client_secret {
            Some(secret) => {
                Some(self.seal_client_secret(access, &id, 1, hosts.clone(), secret).await?.sealed)
            }
            None => None,
        };
        let (callback, owner) = match of_session {
            Some(origin) => (origin.callback, Some(origin.owner)),
            None => (secret_text(&*self.random)?, None),
        };
        let new = NewOAuthClient {
            id: id.clone(),
            environment_id: access.environment.clone(),
            provider: provider.id.clone(),
            auth_scheme: scheme.id.clone(),
            name: draft.name.trim().to_owned(),
            callback,
            shared_callback: draft.shared_callback,
            client_id: draft.client_id.clone().unwrap_or_default(),
            config: json!(config),
            scopes: draft.scopes.clone(),
            hosts,
            sealed,
            owner,
        };
        let object = Object { kind: "oauth_client".into(), id: id.to_string(), label: new.name.clone() };
        let owner = new.owner.as_ref().map(ToString::to_string);
        let detail = json!({ "provider": provider.id, "auth_scheme": scheme.id, "owner": owner });
        let mut changes = vec![Change::InsertOAuthClient(new)];
        changes.extend(events(access, "oauth_client.created", object, detail, false));
        Ok((id, changes))
    }

    /// The environment's OAuth clients by name.
    pub async fn list_oauth_clients(&self, access: &Access) -> Result<Vec<OAuthClient>, Problem> {
        access.require(Scope::ListIntegrations)?;
        Ok(self.store.oauth_clients(&access.environment).await?)
    }

    /// One OAuth client, by id or name.
    pub async fn read_oauth_client(&self, access: &Access, reference: &str) -> Result<OAuthClient, Problem> {
        access.require(Scope::ReadIntegration)?;
        self.find_oauth_client(access, reference).await
    }

    /// Changes an OAuth client. Another secret is good at once, so that the vendor's can be changed without a gap.
    pub async fn update_oauth_client(
        &self,
        access: &Access,
        reference: &str,
        change: OAuthClientChange,
    ) -> Result<OAuthClient, Problem> {
        let client = self.find_oauth_client(access, reference).await?;
        let changes = self.change_of_client(access, &client, change).await?;
        self.commit(&changes).await?;
        self.find_oauth_client(access, client.id.as_str()).await
    }

    /// What changes an OAuth client, for the act that needs it.
    pub(crate) async fn change_of_client(
        &self,
        access: &Access,
        client: &OAuthClient,
        change: OAuthClientChange,
    ) -> Result<Vec<Change>, Problem> {
        access.require(Scope::UpdateIntegration)?;
        let sealed = match &change.client_secret {
            Some(secret) => {
                // Without its provider, nothing is sent anywhere.
                if let Ok(provider) = self.known_provider(&client.provider) {
                    let scheme = scheme_with_client(&provider, Some(&client.auth_scheme))?;
                    refuse_open(&provider, scheme, &texts(&client.config))?;
                }
                let (version, hosts) = (client.sealed_version + 1, client.hosts.clone());
                Some(self.seal_client_secret(access, &client.id, version, hosts, secret).await?.sealed)
            }
            None => None,
        };
        let detail = json!({
            "name": change.name, "client_id": change.client_id.is_some(), "client_secret": sealed.is_some(),
            "scopes": change.scopes,
        });
        let update = OAuthClientUpdate {
            environment_id: access.environment.clone(),
            id: client.id.clone(),
            expected_version: client.version,
            name: change.name,
            client_id: change.client_id,
            scopes: change.scopes,
            sealed,
        };
        let mut changes = vec![Change::UpdateOAuthClient(update)];
        changes.extend(events(access, "oauth_client.updated", object_of(client), detail, false));
        Ok(changes)
    }

    /// Deletes an OAuth client that no connection needs.
    pub async fn delete_oauth_client(&self, access: &Access, reference: &str) -> Result<(), Problem> {
        access.require(Scope::DeleteIntegration)?;
        let client = self.find_oauth_client(access, reference).await?;
        let mut changes = vec![Change::DeleteOAuthClient(access.environment.clone(), client.id.clone())];
        changes.extend(events(access, "oauth_client.deleted", object_of(&client), json!(null), false));
        self.commit(&changes).await.map(drop)
    }

    pub(crate) async fn find_oauth_client(
        &self,
        access: &Access,
        reference: &str,
    ) -> Result<OAuthClient, Problem> {
        let found = self.store.oauth_client(&access.environment, reference).await?;
        found.ok_or_else(|| {
            Problem::not_found("unknown_oauth_client", format!("There is no OAuth client `{reference}`"))
        })
    }

    /// What was typed, with what the integration's client fills where the provider asks for the embedder's own id and
    /// secret beside the account's, and nobody typed them.
    pub(crate) async fn with_client_fields(
        &self,
        access: &Access,
        integration: Option<&Integration>,
        provider: &Provider,
        scheme: &AuthScheme,
        mut typed: Typed,
    ) -> Result<Typed, Problem> {
        let Some((id_field, secret_field)) = scheme.client_fields() else { return Ok(typed) };
        let is_typed = |name: &str| typed.get(name).is_some_and(|value| !value.expose_secret().is_empty());
        if is_typed(id_field) || is_typed(secret_field) {
            return Ok(typed);
        }
        let is_config = |name: &&String| provider.config.get(name).is_some();
        let config = typed.iter().filter(|(name, _)| is_config(name));
        let config = config.map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect();
        let wanted = integration.and_then(|known| known.oauth_client.as_ref()).map(ToString::to_string);
        let client = match self.client_for(access, provider, scheme, wanted.as_deref(), &config).await {
            Ok(client) => client,
            // Then the form says what is missing. A client of another scheme says nothing about this one.
            Err(problem) if matches!(problem.code, "no_oauth_client" | "other_oauth_client") => {
                return Ok(typed);
            }
            Err(problem) => return Err(problem),
        };
        for (name, value) in merged_config(provider, scheme, &client, config)? {
            typed.insert(name, value.into());
        }
        if let Some(sealed) = self.client_secret(&client).await? {
            let opened = sealed.open()?;
            let secret = opened.value(OAuth2::CLIENT_SECRET).unwrap_or_default();
            typed.insert(secret_field.to_owned(), secret.into());
        }
        typed.insert(id_field.to_owned(), client.client_id.into());
        Ok(typed)
    }

    /// The secret of a client, sealed; `None` for a client without one.
    pub(super) async fn client_secret(
        &self,
        client: &OAuthClient,
    ) -> Result<Option<SealedCredentials>, Problem> {
        let Some(sealed) = client.sealed.clone() else { return Ok(None) };
        let place = Place {
            environment: client.environment_id.clone(),
            purpose: Purpose::OAuthClient,
            object: client.id.to_string(),
            version: client.sealed_version,
            hosts: client.hosts.clone(),
        };
        self.safe.stored(&self.store, place, sealed).await.map(Some)
    }

    /// The secret of a client, opened for an address of a token endpoint that it is bound to.
    pub(super) async fn client_secret_for(
        &self,
        provider: &Provider,
        client: &OAuthClient,
        url: &str,
    ) -> Result<Option<Credentials>, Problem> {
        let Some(sealed) = self.client_secret(client).await? else { return Ok(None) };
        let scheme = scheme_with_client(provider, Some(&client.auth_scheme))?;
        refuse_open(provider, scheme, &texts(&client.config))?;
        let (origin, _) = self.egress.parse_url(url).map_err(|refusal| {
            Problem::invalid("address_refused", refusal.to_string(), "Check the address.")
        })?;
        let is_bound = client.hosts.allows(HostRole::TokenEndpoint, origin.host(), origin.port());
        let is_open = !host_fields(provider, scheme).is_empty();
        if !is_bound && (is_open || !client.hosts.is_empty()) {
            let what = format!(
                "The secret of the OAuth client `{}` is not bound to the token endpoint {}",
                client.name,
                origin.host()
            );
            let fix = "Make an OAuth client that is registered there with `tombolo oauth-client create`, and link the account again.";
            return Err(Problem::new(ProblemKind::Unusable, "host_not_bound", what, fix));
        }
        sealed.open().map(Some)
    }

    async fn seal_client_secret(
        &self,
        access: &Access,
        id: &OAuthClientId,
        version: u64,
        hosts: HostSet,
        secret: &SecretString,
    ) -> Result<SealedCredentials, Problem> {
        let place = Place {
            environment: access.environment.clone(),
            purpose: Purpose::OAuthClient,
            object: id.to_string(),
            version,
            hosts,
        };
        let credentials =
            CredentialsBuilder::new().value(OAuth2::CLIENT_SECRET, secret.expose_secret()).build();
        self.safe.seal(&self.store, place, &credentials).await
    }

    /// The hosts that the secret may go to: that of the token endpoint once it is known where the client is registered.
    /// A client that is good for every tenant has none; then the host patterns of the provider's file decide, which have to
    /// name the hosts (see `refuse_open`).
    fn client_hosts(
        &self,
        provider: &Provider,
        scheme: &AuthScheme,
        config: &BTreeMap<String, String>,
    ) -> Result<HostSet, Problem> {
        let urls = scheme.token_urls();
        // Where any host will do, an address that stands for itself unless somebody types another one is the client's.
        let is_open = !host_fields(provider, scheme).is_empty();
        let lacks_any = |url: &Template| url.config_names().any(|name| !config.contains_key(name));
        let is_undecided = |url: &&Template| if is_open { !url.is_filled_by(config) } else { lacks_any(url) };
        if urls.iter().any(is_undecided) {
            return Ok(HostSet::default());
        }
        // A connection of the client may come through any of the gates, some of which have a host of their own.
        let kinds: Vec<GateKind> = provider.gates.iter().map(|gate| gate.kind).collect();
        let mut hosts: Vec<BoundHost> =
            self.token_hosts(provider, scheme, config, &[])?.iter().cloned().collect();
        for kind in kinds {
            hosts.extend(self.token_hosts(provider, scheme, config, &[kind])?.iter().cloned());
        }
        Ok(hosts.into_iter().collect())
    }

    /// Every host that the credentials of a connection may go to.
    pub(crate) fn bound_hosts(
        &self,
        provider: &Provider,
        scheme: &AuthScheme,
        config: &BTreeMap<String, String>,
        gates: &[GateKind],
    ) -> Result<HostSet, Problem> {
        let api = origin(&self.egress, provider, config, gates)?;
        let api = api_host(api.host(), api.port())?;
        let tokens = self.token_hosts(provider, scheme, config, gates)?;
        Ok(tokens.iter().chain(api.iter()).cloned().collect())
    }

    /// The hosts that tokens and client secrets are sent to for a configuration behind the gates that are used.
    pub(crate) fn token_hosts(
        &self,
        provider: &Provider,
        scheme: &AuthScheme,
        config: &BTreeMap<String, String>,
        gates: &[GateKind],
    ) -> Result<HostSet, Problem> {
        scheme
            .token_urls()
            .into_iter()
            .map(|url| {
                let url = super::exchange::url_of(provider, url, config, gates)?;
                let (origin, _) = self.egress.parse_url(&url).map_err(|refusal| {
                    Problem::invalid("address_refused", refusal.to_string(), "Check the address.")
                })?;
                BoundHost::new(HostRole::TokenEndpoint, origin.host(), origin.port()).map_err(|error| {
                    Problem::invalid("invalid_host", error.to_string(), "Check the address.")
                })
            })
            .collect()
    }
}

/// The scheme of a provider that a client is made for; when nobody says which, one for a person before the others.
pub(super) fn scheme_with_client<'a>(
    provider: &'a Provider,
    wanted: Option<&str>,
) -> Result<&'a AuthScheme, Problem> {
    let fits = |scheme: &&AuthScheme| wanted.is_none_or(|wanted| scheme.id == wanted);
    let with_person = provider.auth.iter().filter(fits).find(|scheme| scheme.needs_browser());
    let found = with_person
        .or_else(|| provider.auth.iter().filter(fits).find(|scheme| scheme.client_mode().is_some()));
    found.ok_or_else(|| {
        let what = match wanted {
            Some(wanted) => {
                format!("The auth scheme `{wanted}` of {} needs no OAuth client", provider.name.en)
            }
            None => format!("{} has no auth scheme that needs an OAuth client", provider.name.en),
        };
        Problem::invalid("no_oauth", what, "Link the account with `tombolo connection create`.")
    })
}

/// The names of the fields that say where a client is registered.
pub(crate) fn config_names_of_client<'a>(provider: &'a Provider, scheme: &'a AuthScheme) -> Vec<&'a str> {
    let named: BTreeSet<&str> = urls_of_client(provider, scheme).flat_map(Template::config_names).collect();
    let asked = provider.config.iter().filter(|(name, field)| named.contains(name) && !field.automatic);
    asked.map(|(name, _)| name).collect()
}

/// The fields that say where a client is registered: those of the token endpoint, each optional.
fn accept_config(
    provider: &Provider,
    scheme: &AuthScheme,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Problem> {
    let known: Vec<&str> = urls_of_client(provider, scheme).flat_map(Template::config_names).collect();
    let (mut config, mut faults) = (BTreeMap::new(), Vec::new());
    for (name, value) in given {
        match provider.config.get(name).filter(|_| known.contains(&name.as_str())) {
            None => faults.push(field(
                name,
                "unknown_field",
                &format!("An OAuth client of {} has no field `{name}`.", provider.name.en),
                &format!("{}のOAuthクライアントに項目「{name}」はありません。", provider.name.ja),
            )),
            Some(declared) => match declared.accept(name, value) {
                Ok(Some(value)) => drop(config.insert(name.clone(), value)),
                Ok(None) => {}
                Err(fault) => faults.push(fault),
            },
        }
    }
    if faults.is_empty() { Ok(config) } else { Err(Problem::fields(faults)) }
}

/// The addresses that the secret of a client is sent to.
fn urls_of_client<'a>(provider: &'a Provider, scheme: &'a AuthScheme) -> impl Iterator<Item = &'a Template> {
    // A client that signs beside the account is good at the address of the API.
    let base_url = scheme.client_fields().map(|_| &provider.base_url);
    scheme.token_urls().into_iter().chain(base_url)
}

/// The fields that a client with a secret has to have: where any host will do, those who link accounts would choose the
/// one that gets the client's secret.
pub(super) fn host_fields<'a>(provider: &'a Provider, scheme: &'a AuthScheme) -> BTreeSet<&'a str> {
    provider.open_host_names(urls_of_client(provider, scheme))
}

/// Refuses a client whose secret would go to whichever host somebody types.
fn refuse_open(
    provider: &Provider,
    scheme: &AuthScheme,
    config: &BTreeMap<String, String>,
) -> Result<(), Problem> {
    let undecided = urls_of_client(provider, scheme).filter(|url| !url.is_filled_by(config));
    let missing = provider.open_host_names(undecided).into_iter().filter(|name| !config.contains_key(*name));
    let missing: Vec<&str> = missing.collect();
    if missing.is_empty() {
        return Ok(());
    }
    let what = format!(
        "An OAuth client of {} with a secret has to say at which host it is registered, or its secret would go to any host that somebody types ({})",
        provider.name.en,
        missing.join(", ")
    );
    let fields: Vec<String> = missing.iter().map(|name| format!("--field {name}=…")).collect();
    let fix = format!(
        "Make it with the host: `tombolo oauth-client create --provider {} {}`, one client for each host.",
        provider.id,
        fields.join(" ")
    );
    Err(Problem::new(ProblemKind::Unusable, "client_not_bound", what, fix))
}

/// A client stays where it is registered: its secret and the tokens of its connections are bound to the hosts there.
pub(crate) fn refuse_other_config(
    provider: &Provider,
    client: &OAuthClient,
    given: &BTreeMap<String, String>,
) -> Result<(), Problem> {
    let Some(scheme) = provider.scheme(&client.auth_scheme) else { return Ok(()) };
    let config = accept_config(provider, scheme, given)?;
    let others = config.iter().filter(|(name, value)| client.config[name.as_str()] != value.as_str());
    let faults: Vec<_> = others
        .map(|(name, _)| {
            let en = "The OAuth client is registered elsewhere, and stays there. Make another integration.";
            let ja = "OAuthクライアントの登録先は変更できません。別の連携を作成してください。";
            field(&format!("integration_config.{name}"), "unchangeable", en, ja)
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Problem::fields(faults)) }
}

/// The configuration of a connection through a client: where the client is registered, the account is as well.
pub(super) fn merged_config(
    provider: &Provider,
    scheme: &AuthScheme,
    client: &OAuthClient,
    mut given: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Problem> {
    if client.sealed.is_some() {
        refuse_open(provider, scheme, &texts(&client.config))?;
    }
    for (name, value) in texts(&client.config) {
        let typed = given.entry(name.clone()).or_insert_with(|| value.clone());
        if *typed != value {
            let en = format!("The OAuth client `{}` is registered at `{value}`.", client.name);
            let ja = format!("OAuthクライアント「{}」の登録先は「{value}」です。", client.name);
            return Err(Problem::fields(vec![field(&name, "other_oauth_client", &en, &ja)]));
        }
    }
    Ok(given)
}

pub(super) fn object_of(client: &OAuthClient) -> Object {
    Object { kind: "oauth_client".into(), id: client.id.to_string(), label: client.name.clone() }
}

/// Where the vendor sends browsers of this client to; each client has an address of its own, so that no vendor can pass
/// another one's answer off as its own. A client that was taken over with the address that it was registered with has the
/// one that all such clients share.
pub fn redirect_uri(public_url: &str, client: &OAuthClient) -> String {
    if client.shared_callback {
        return format!("{}/oauth/callback", public_url.trim_end_matches('/'));
    }
    own_redirect_uri(public_url, &client.callback)
}

/// The same, of a client that is yet to be made, by its last part.
pub fn own_redirect_uri(public_url: &str, callback: &str) -> String {
    format!("{}/oauth/callback/{callback}", public_url.trim_end_matches('/'))
}
