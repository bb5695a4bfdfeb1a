//! The way to the vendor: a link that begins an authorization, and the browser that opens it.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tombolo_auth::{Accepted, Credentials, CredentialsBuilder, Typed};
use tombolo_catalog::{AuthScheme, GateKind, OAuth2, Provider};
use tombolo_store::{
    Authorization, AuthorizationId, AuthorizationStage, AuthorizationStep, Change, Connection, EndUser,
    EnvironmentId, NewAuthorization, OAuthClient, Object, StoreError,
};
use tombolo_vault::{HostSet, Sealed};

use super::agreement::{Agreement, Departure};
use super::clients::{merged_config, scheme_with_client};
use super::draft::{AuthorizationDraft, WaitingDraft};
use super::{LINK_LIFE, STEP_LIFE, exchange, hash, secret_text};
use crate::access::{Access, Scope};
use crate::connections::{check_name, gates_of, name_taken, texts};
use crate::credentials::{Place, Purpose};
use crate::platform::{Platform, events};
use crate::preparation::{accept_settings, refuse_scheme};
use crate::problem::{Problem, ProblemKind};

/// The name under which the PKCE verifier is sealed.
pub(super) const VERIFIER: &str = "verifier";

/// An authorization that waits for its person.
pub struct StartedAuthorization {
    /// The authorization.
    pub authorization: Authorization,
    /// The secret of the link; shown once.
    pub link_secret: SecretString,
    /// Whether whoever made the link confirms whose account it is, before there is a connection.
    pub is_confirmed_later: bool,
}

/// What a link is about.
pub struct LinkAbout {
    /// What the connection will be called.
    pub name: String,
    /// The provider.
    pub provider: Arc<Provider>,
    /// The person whom it is for.
    pub end_user: Option<EndUser>,
    /// Whether somebody confirms whose account it is. If not, the person has to know beforehand.
    pub is_confirmed_later: bool,
}

/// What a browser that has opened the link is to do.
pub struct Beginning {
    /// Where it goes.
    pub location: String,
    /// The name of the cookie that it keeps, without a prefix.
    pub cookie_name: String,
    /// What it keeps there.
    pub cookie: SecretString,
}

/// How an authorization does, for whoever made it.
pub struct AuthorizationState {
    /// The authorization.
    pub authorization: Authorization,
    /// Whether it can no longer go on.
    pub is_over: bool,
}

impl Platform {
    /// Makes a link for a person who is to agree at the vendor. Nothing is asked of the vendor yet.
    pub async fn start_authorization(
        self: &Arc<Self>,
        access: &Access,
        draft: AuthorizationDraft,
    ) -> Result<StartedAuthorization, Problem> {
        access.require(Scope::CreateConnection)?;
        check_name(&draft.name)?;
        let again = self.connection_to_link_again(access, &draft).await?;
        let (integration, provider) = self.integration_to_link(access, &draft.integration).await?;
        let scheme = scheme_with_client(&provider, draft.auth_scheme.as_deref())?;
        if !scheme.needs_browser() {
            let what = format!("The auth scheme `{}` of {} needs no browser", scheme.id, provider.name.en);
            let fix = "Link the account with `tombolo connection create`.";
            return Err(Problem::invalid("no_oauth", what, fix));
        }
        if let Some(integration) = &integration {
            refuse_scheme(integration, &scheme.id)?;
        }
        let wanted = draft
            .oauth_client
            .clone()
            .or_else(|| again.as_ref()?.target.oauth_client.as_ref().map(ToString::to_string))
            .or_else(|| integration.as_ref()?.oauth_client.as_ref().map(ToString::to_string));
        let draft = match &again {
            Some(again) => draft.over(again, &provider),
            None => draft,
        };
        let client = self.client_for(access, &provider, scheme, wanted.as_deref(), &draft.fields).await?;
        let (belonging, socket_hash) = (draft.belonging.clone(), draft.socket_hash.clone());
        let environment = self.environment_settings(&access.environment).await?;
        let is_confirmed =
            draft.from_message || draft.by_user.is_some() || environment.confirm_authorizations;
        draft.require_way_back(&environment, again.as_ref())?;
        let (waiting, of_gates) =
            self.accept_waiting(&provider, scheme, &client, draft, is_confirmed).await?;
        if let Some(again) = &again {
            refuse_lost_gate(again, &waiting.gates)?;
        }
        // Where the vendor's answer makes up the address, it is looked at when that is there.
        let is_answered = |name: &str| provider.config.get(name).is_some_and(|field| field.automatic);
        if !provider.base_url.config_names().any(is_answered) {
            exchange::url_of(&provider, &provider.base_url, &waiting.config, &waiting.gates)?;
        }

        let id = AuthorizationId::generate(self.now(), &*self.random).map_err(StoreError::from)?;
        let hosts = || self.bound_hosts(&provider, scheme, &waiting.config, &waiting.gates);
        let sealed = match waiting.gates[..] {
            [] => None,
            _ => Some(self.seal_of_gates(&access.environment, &id, hosts()?, &of_gates).await?),
        };
        let link_secret = secret_text(&*self.random)?;
        let new = NewAuthorization {
            id,
            environment_id: access.environment.clone(),
            oauth_client: client.id.clone(),
            connection: match &again {
                Some(connection) => connection.id.clone(),
                None => self.new_connection_id()?,
            },
            connect_session: belonging.session,
            links_again: again.map(|connection| connection.sealed_version),
            socket_hash,
            start_hash: hash(&link_secret),
            draft: json!(waiting),
            sealed,
            expires_at: self.now().plus(LINK_LIFE),
        };
        Ok(StartedAuthorization {
            authorization: self.insert_authorization(access, new, &waiting.name, &provider).await?,
            link_secret: link_secret.into(),
            is_confirmed_later: is_confirmed,
        })
    }

    /// The connection whose account is linked again; for a new one its name has to be free.
    async fn connection_to_link_again(
        &self,
        access: &Access,
        draft: &AuthorizationDraft,
    ) -> Result<Option<Connection>, Problem> {
        if let Some(id) = &draft.again {
            access.require(Scope::UpdateConnection)?;
            return Ok(Some(
                self.find_connection(&access.environment, Some(&draft.integration), id).await?.0,
            ));
        }
        // Nobody chose the name of a connection that is made in a session; it is changed should it be taken by then.
        let is_chosen = draft.belonging.session.is_none();
        if is_chosen
            && !self.store.connections_called(&access.environment, draft.name.trim()).await?.is_empty()
        {
            return Err(name_taken(&draft.name));
        }
        Ok(None)
    }

    async fn insert_authorization(
        &self,
        access: &Access,
        new: NewAuthorization,
        name: &str,
        provider: &Provider,
    ) -> Result<Authorization, Problem> {
        let id = new.id.clone();
        let object = Object { kind: "authorization".into(), id: id.to_string(), label: name.to_owned() };
        let detail = json!({ "provider": provider.id, "oauth_client": new.oauth_client.as_str() });
        let mut changes = vec![Change::InsertAuthorization(new)];
        changes.extend(events(access, "authorization.created", object, detail, false));
        self.commit(&changes).await?;
        self.find_authorization(access, &id).await
    }

    /// How an authorization does.
    pub async fn read_authorization(&self, access: &Access, id: &str) -> Result<AuthorizationState, Problem> {
        access.require(Scope::CreateConnection)?;
        let id = id.parse::<AuthorizationId>().map_err(|_| unknown())?;
        let authorization = self.find_authorization(access, &id).await?;
        let ended = matches!(authorization.stage, AuthorizationStage::Linked | AuthorizationStage::Failed);
        let is_over = ended || authorization.expires_at <= self.now();
        Ok(AuthorizationState { authorization, is_over })
    }

    /// What a link is about, for the person who has opened it. Looking changes nothing: whatever shows previews of links
    /// may look as well.
    pub async fn look_at_link(&self, link_secret: &str) -> Result<LinkAbout, Problem> {
        let found = self.store.authorization_to_start(&hash(link_secret)).await?;
        let authorization = found.ok_or_else(link_over)?;
        let may_begin =
            matches!(authorization.stage, AuthorizationStage::Waiting | AuthorizationStage::Started);
        if !may_begin || authorization.expires_at <= self.now() {
            return Err(link_over());
        }
        let (_, provider, draft) = self.parts_of(&authorization).await?;
        Ok(LinkAbout {
            name: draft.name,
            provider,
            end_user: draft.end_user,
            is_confirmed_later: draft.is_confirmed,
        })
    }

    /// A person goes on from the link: from now on only this browser can finish. Going on again begins anew.
    pub async fn begin_authorization(
        &self,
        link_secret: &str,
        public_url: &str,
    ) -> Result<Beginning, Problem> {
        let found = self.store.authorization_to_start(&hash(link_secret)).await?;
        let authorization = found.ok_or_else(link_over)?;
        let (client, provider, draft) = self.parts_of(&authorization).await?;
        let scheme = scheme_of(&provider, &draft.auth_scheme)?;
        let (state, cookie) = (secret_text(&*self.random)?, secret_text(&*self.random)?);
        // Later on something else is sealed, and the step below is refused.
        let is_waiting =
            matches!(authorization.stage, AuthorizationStage::Waiting | AuthorizationStage::Started);
        let of_gates = if draft.gates.is_empty() || !is_waiting {
            CredentialsBuilder::new()
        } else {
            of_gates(&self.remembered(&authorization).await?.open()?, &draft.gates)
        }
        .build();
        let agreement = Agreement {
            provider: &provider,
            scheme,
            client: &client,
            draft: &draft,
            public_url,
            of_gates: &of_gates,
        };
        let Departure { location, remembered } = self.depart(&agreement, &state).await?;
        let place = Place {
            environment: authorization.environment_id.clone(),
            purpose: Purpose::Authorization,
            object: authorization.id.to_string(),
            version: authorization.sealed_version + 1,
            hosts: authorization.hosts.clone(),
        };
        let sealed = self.safe.seal(&self.store, place, &remembered).await?;
        let step = AuthorizationStep {
            environment_id: authorization.environment_id.clone(),
            id: authorization.id.clone(),
            from: &[AuthorizationStage::Waiting, AuthorizationStage::Started],
            stage: AuthorizationStage::Started,
            started: Some((hash(&state), hash(&cookie))),
            proof_hash: None,
            sealed: Some((sealed.sealed, sealed.place.version, sealed.place.hosts)),
            outcome: Json::Null,
            expires_at: Some(self.now().plus(STEP_LIFE)),
        };
        match self.commit(&[Change::StepAuthorization(step)]).await {
            Err(problem) if problem.code == "version_conflict" => Err(link_over()),
            outcome => outcome.map(|_| Beginning {
                location,
                cookie_name: cookie_name(&authorization.id),
                cookie: cookie.into(),
            }),
        }
    }

    /// Seals what opens the gates of a connection until its person comes back.
    async fn seal_of_gates(
        &self,
        environment: &EnvironmentId,
        id: &AuthorizationId,
        hosts: HostSet,
        of_gates: &Credentials,
    ) -> Result<(Sealed, HostSet), Problem> {
        let place = Place {
            environment: environment.clone(),
            purpose: Purpose::Authorization,
            object: id.to_string(),
            version: NewAuthorization::SEALED_VERSION,
            hosts,
        };
        let sealed = self.safe.seal(&self.store, place, of_gates).await?;
        Ok((sealed.sealed, sealed.place.hosts))
    }

    /// Accepts what was given for the connection. What opens its gates comes back apart, because it is secret.
    async fn accept_waiting(
        &self,
        provider: &Arc<Provider>,
        scheme: &AuthScheme,
        client: &OAuthClient,
        mut draft: AuthorizationDraft,
        is_confirmed: bool,
    ) -> Result<(WaitingDraft, Credentials), Problem> {
        let fields = merged_config(provider, scheme, client, std::mem::take(&mut draft.fields))?;
        let mut typed: Typed =
            fields.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect();
        typed.append(&mut draft.gate_fields);
        let (settings, routing) = accept_settings(provider, &draft.settings)?;
        let accepted = self.read_form(provider, scheme, typed).await?.map_err(Problem::fields)?;
        let Accepted { mut config, gates, certificate, credentials, .. } = accepted;
        config.extend(routing);
        let scopes = match (draft.scopes.is_empty(), client.scopes.is_empty()) {
            (false, _) => draft.scopes,
            (true, false) => client.scopes.clone(),
            (true, true) => {
                let oauth2 = scheme.oauth2().into_iter();
                oauth2.flat_map(OAuth2::default_scopes).map(str::to_owned).collect()
            }
        };
        let scopes = narrowed(scopes, draft.narrowed_to)?;
        let waiting = WaitingDraft {
            integration: draft.integration,
            name: draft.name.trim().to_owned(),
            connection_id: draft.connection_id,
            auth_scheme: scheme.id.clone(),
            config,
            gates,
            certificate_expires_at: certificate.map(|facts| facts.not_after.saturating_mul(1000)),
            settings,
            tags: draft.tags,
            metadata: draft.metadata,
            scopes,
            parameters: draft.parameters,
            end_user: draft.belonging.end_user,
            webhook_url: draft.belonging.webhook_url,
            return_url: draft.return_url,
            is_confirmed,
            from_message: draft.from_message,
            by_user: draft.by_user.map(|user| user.to_string()),
        };
        Ok((waiting, credentials))
    }

    /// An address that a browser can follow, also where the operator sends the host elsewhere.
    pub fn for_browsers(&self, url: String) -> String {
        let Ok((origin, target)) = self.egress.parse_url(&url) else { return url };
        match self.egress.browser_address(&origin) {
            Some(address) => format!("{}{target}", address.as_str().trim_end_matches('/')),
            None => url,
        }
    }

    /// The client, the provider and the draft of an authorization.
    pub(super) async fn parts_of(
        &self,
        authorization: &Authorization,
    ) -> Result<(OAuthClient, Arc<Provider>, WaitingDraft), Problem> {
        let client = self
            .store
            .oauth_client(&authorization.environment_id, authorization.oauth_client.as_str())
            .await?
            .ok_or_else(link_over)?;
        let provider = self.known_provider(&client.provider)?;
        let draft = serde_json::from_value(authorization.draft.clone()).map_err(|_| link_over())?;
        Ok((client, provider, draft))
    }

    pub(super) async fn find_authorization(
        &self,
        access: &Access,
        id: &AuthorizationId,
    ) -> Result<Authorization, Problem> {
        self.store.authorization(&access.environment, id).await?.ok_or_else(unknown)
    }

    /// The client that was asked for, or the only one that fits.
    pub(super) async fn client_for(
        &self,
        access: &Access,
        provider: &Provider,
        scheme: &AuthScheme,
        wanted: Option<&str>,
        fields: &BTreeMap<String, String>,
    ) -> Result<OAuthClient, Problem> {
        let fits = |client: &OAuthClient| client.provider == provider.id && client.auth_scheme == scheme.id;
        let client = if let Some(reference) = wanted {
            let client = self.find_oauth_client(access, reference).await?;
            if !fits(&client) {
                let what = format!("The OAuth client `{}` is not one of {}", client.name, provider.name.en);
                return Err(Problem::invalid("other_oauth_client", what, "Choose another one."));
            }
            client
        } else {
            let agrees = |client: &OAuthClient| {
                let registered = texts(&client.config);
                registered.iter().all(|(name, value)| fields.get(name).is_none_or(|given| given == value))
            };
            // What somebody registered in a connect session is used by those who choose it, and never by itself.
            let of = (provider.id.as_str(), scheme.id.as_str());
            let mut all = self.store.oauth_clients_for(&access.environment, of, None).await?;
            all.retain(agrees);
            the_only(all, provider)?
        };
        if client.client_id.is_empty() {
            let what = format!("The OAuth client `{}` has no client ID yet", client.name);
            let fix = "Register its redirect URI with the vendor, and fill in the ID and secret that you get there.";
            return Err(Problem::new(ProblemKind::Conflict, "oauth_client_unfinished", what, fix));
        }
        Ok(client)
    }
}

/// What a browser asks for is part of what the embedder or the client allows: a person may give less, and nobody talks them
/// into giving more.
fn narrowed(allowed: Vec<String>, wanted: Vec<String>) -> Result<Vec<String>, Problem> {
    if wanted.is_empty() {
        return Ok(allowed);
    }
    match wanted.iter().find(|scope| !allowed.contains(scope)) {
        None => Ok(wanted),
        Some(scope) => {
            let scope: String = scope.chars().filter(|char| !char.is_control()).take(100).collect();
            let what = format!("`{scope}` is not among the scopes that a browser may ask for");
            let fix = "Name it in the session (`user_scopes`) or in the OAuth client.";
            Err(Problem::invalid("scope_not_allowed", what, fix))
        }
    }
}

/// What opens a gate is a secret, which is not taken over from the connection; without it the account would be reached at
/// another address than before, or not at all.
fn refuse_lost_gate(again: &Connection, given: &[GateKind]) -> Result<(), Problem> {
    match gates_of(again).iter().find(|gate| !given.contains(gate)) {
        None => Ok(()),
        Some(gate) => {
            let what =
                format!("The connection comes through a gate ({}), whose secrets are missing", gate.name());
            let fix = "Hand them over again: `PUT /connect/session/fields/{key}` in a connect session, or with the link.";
            Err(Problem::new(ProblemKind::Conflict, "secret_needed", what, fix))
        }
    }
}

fn the_only(mut fitting: Vec<OAuthClient>, provider: &Provider) -> Result<OAuthClient, Problem> {
    match (fitting.pop(), fitting.is_empty()) {
        (Some(client), true) => Ok(client),
        (None, _) => {
            let what = format!("There is no OAuth client of {} that fits", provider.name.en);
            let fix = format!("Make one with `tombolo oauth-client create --provider {}`.", provider.id);
            Err(Problem::new(ProblemKind::Conflict, "no_oauth_client", what, fix))
        }
        (Some(_), false) => {
            let what = format!("Several OAuth clients of {} fit", provider.name.en);
            Err(Problem::new(ProblemKind::Conflict, "several_oauth_clients", what, "Say which one is meant."))
        }
    }
}

/// What opens the gates, of all that is sealed together.
pub(super) fn of_gates(sealed: &Credentials, gates: &[GateKind]) -> CredentialsBuilder {
    let names = gates.iter().flat_map(|gate| gate.credentials());
    let found = names.filter_map(|name| Some((name, sealed.value(name)?)));
    found.fold(CredentialsBuilder::new(), |builder, (name, value)| builder.value(name, value))
}

/// The name of the cookie of the browser that began an authorization.
pub(super) fn cookie_name(id: &AuthorizationId) -> String {
    format!("tombolo-{id}")
}

/// The scheme by which an account is linked.
pub(super) fn scheme_of<'a>(provider: &'a Provider, scheme: &str) -> Result<&'a AuthScheme, Problem> {
    provider.scheme(scheme).ok_or_else(|| scheme_gone(scheme))
}

pub(super) fn scheme_gone(scheme: &str) -> Problem {
    let what = format!("The provider no longer has the auth scheme `{scheme}`");
    Problem::new(ProblemKind::Unusable, "auth_scheme_gone", what, "Link the account in another way.")
}

pub(super) fn no_page() -> Problem {
    let what = "The provider file names no page where a person can agree";
    Problem::new(ProblemKind::Unusable, "provider_file", what, "Mend the provider file.")
}

fn unknown() -> Problem {
    Problem::not_found("unknown_authorization", "There is no such authorization")
}

fn link_over() -> Problem {
    let what = "This link is not good any more: it was used, or it is too old";
    Problem::new(ProblemKind::NotFound, "link_over", what, "Ask for a new link.")
}
