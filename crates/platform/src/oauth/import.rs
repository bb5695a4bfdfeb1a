//! Tokens that another product had, brought along with a connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};
use tombolo_auth::{Accepted, Credentials, CredentialsBuilder, Form, Grant};
use tombolo_catalog::{AuthMode, AuthScheme, OAuth1, OAuth2, Provider};
use tombolo_store::{
    Change, Connection, ConnectionId, ConnectionUpdate, Health, IntegrationId, NewConnection, OAuthClient,
    Object, StoreError, Target, Timestamp, TokenLife, check_connection_id,
};
use tombolo_vault::HostSet;

use super::callback::spread;
use super::clients::{OAuthClientDraft, host_fields, merged_config};
use super::exchange::{Client, Exchange, Unanswered, life_of};
use super::testing::TokensToTest;
use crate::access::Access;
use crate::connect::{Chosen, named};
use crate::connection_test::TestReport;
use crate::connections::{CreatedConnection, all_settings, object_of};
use crate::credentials::SealedCredentials;
use crate::health::{News, health_detail, health_of, noted};
use crate::import::ConnectionImport;
use crate::integrations::{IntegrationDraft, OwnClient};
use crate::platform::{Platform, events};
use crate::preparation::{accept_settings, split_settings};
use crate::problem::{Problem, ProblemKind};
use crate::proxy::route_options;

/// The pause between two attempts to write renewed tokens down.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(400);
/// How often others may be faster in making or changing what an import is about.
const COLLISIONS_MAX: u32 = 10;
/// An access token that is good for less is renewed before anything else.
const SHORT: std::time::Duration = std::time::Duration::from_mins(1);

/// What a vendor gave for a person's account.
#[derive(Clone)]
pub struct ImportedTokens {
    /// The tokens.
    pub tokens: VendorTokens,
    /// The OAuth client that they were given to, where it is not that of the integration.
    pub client: Option<OwnClient>,
}

/// Tokens by version of the protocol.
#[derive(Clone)]
pub enum VendorTokens {
    /// OAuth 2.0.
    OAuth2 {
        /// The access token.
        access_token: SecretString,
        /// What renews it.
        refresh_token: Option<SecretString>,
        /// When the access token ends, as far as anybody knows.
        expires_at: Option<Timestamp>,
    },
    /// OAuth 1.0a: good until somebody revokes it.
    OAuth1 {
        /// The token.
        token: SecretString,
        /// Its secret.
        secret: SecretString,
    },
}

/// Everything about the import that was accepted.
struct Accounted<'a> {
    chosen: &'a Chosen,
    scheme: &'a AuthScheme,
    client: Option<OAuthClient>,
    /// Whether the client was made for this import.
    is_new: bool,
    config: BTreeMap<String, String>,
    settings: BTreeMap<String, String>,
}

/// An import that only has to be written down.
struct Importable<'a> {
    access: &'a Access,
    import: &'a ConnectionImport,
    account: &'a Accounted<'a>,
    /// In whose place it comes.
    existing: Option<Connection>,
    /// Whose the connection is; one is made when there is none.
    integration: Option<IntegrationId>,
    id: ConnectionId,
    tokens: &'a TokensToTest<'a>,
    sealed: SealedCredentials,
    life: TokenLife,
    /// What the test found, or why it could not be carried out.
    report: Result<TestReport, Problem>,
}

impl Platform {
    /// Takes a connection with tokens over, in the place of `existing` if there is one. Tokens that have ended are renewed
    /// first: the other product must not renew them any more, because a vendor may take a refresh token only once. So
    /// everything that can be refused is looked at before that; afterwards the connection is stored whatever the test
    /// says, because what the vendor gave exists nowhere else. It has to run in a task that nobody cancels.
    pub(crate) async fn import_tokens(
        self: &Arc<Self>,
        access: &Access,
        import: &ConnectionImport,
        chosen: &Chosen,
        tokens: &ImportedTokens,
        existing: Option<&Connection>,
    ) -> Result<CreatedConnection, Problem> {
        let account = self.accounted(access, import, chosen, tokens).await?;
        let outcome = self.import_for(access, import, &account, &tokens.tokens, existing).await;
        if let (Err(_), Some(client)) = (&outcome, account.client.as_ref().filter(|_| account.is_new)) {
            // Nobody needs it, and another attempt may come with another secret.
            let unneeded = Change::DeleteOAuthClient(access.environment.clone(), client.id.clone());
            if let Err(problem) = self.commit(&[unneeded]).await {
                tracing::warn!(%problem, client = %client.id, "an OAuth client that nobody needs is left");
            }
        }
        outcome
    }

    async fn import_for(
        self: &Arc<Self>,
        access: &Access,
        import: &ConnectionImport,
        account: &Accounted<'_>,
        tokens: &VendorTokens,
        existing: Option<&Connection>,
    ) -> Result<CreatedConnection, Problem> {
        let chosen = account.chosen;
        let id = match existing {
            Some(connection) => connection.id.clone(),
            None => self.new_connection_id()?,
        };
        if let (Some(name), None) = (&import.name, existing) {
            self.require_free_name(access, name).await?;
        }
        if let Some(connection_id) = &import.connection_id {
            check_connection_id(connection_id)?;
        }
        let token_hosts = self.token_hosts(&chosen.provider, account.scheme, &account.config, &[])?;
        let version =
            existing.map_or(0, |connection| connection.sealed_version) + NewConnection::SEALED_VERSION;
        let given = self.credentials_of(account, tokens).await?;
        let mut to_test = TokensToTest {
            gates: &[],
            environment: &access.environment,
            connection: &id,
            version,
            integration: &chosen.key,
            provider: &chosen.provider,
            auth_scheme: &account.scheme.id,
            settings: &account.settings,
            config: &account.config,
            token_hosts: token_hosts.clone(),
            credentials: &given,
        };
        // What is wrong with addresses, settings or keys shows here.
        let mut sealed = self.sealed_tokens(&to_test).await?;
        self.compiled(&to_test, &sealed)?;
        let renewed = self.renewed_at_once(account, tokens, &given, &token_hosts, spread(&id)).await?;
        let is_renewed = renewed.is_some();
        let life = match &renewed {
            Some((renewed, life)) => {
                to_test.credentials = renewed;
                sealed = self.sealed_tokens(&to_test).await?;
                *life
            }
            None => account.life_of(tokens, self.now()),
        };
        let tested = self.test_sealed(&to_test, &sealed).await;
        let report = match tested {
            Ok(report) if report.available => Ok(report),
            Ok(report) if is_renewed => Ok(report),
            Err(problem) if is_renewed => Err(problem),
            Ok(report) => return Err(report.as_problem(ProblemKind::TestFailed)),
            Err(problem) => return Err(problem),
        };
        let importable = Importable {
            access,
            import,
            account,
            existing: existing.cloned(),
            integration: chosen.integration.as_ref().map(|integration| integration.id.clone()),
            id: id.clone(),
            tokens: &to_test,
            sealed,
            life,
            report,
        };
        self.store_import(importable, is_renewed).await
    }

    /// Writes an import down. When its tokens were renewed, however long the database takes, under another name if somebody
    /// has taken the name meanwhile, and in the place of what somebody has made or changed meanwhile.
    async fn store_import(
        self: &Arc<Self>,
        mut importable: Importable<'_>,
        is_renewed: bool,
    ) -> Result<CreatedConnection, Problem> {
        let (access, import) = (importable.access, importable.import);
        let mut name = import.name.clone();
        let mut collisions = 0;
        loop {
            let written = match self.write_import(&importable, name.clone()).await {
                Err(problem)
                    if matches!(problem.code, "unique_key_taken" | "version_conflict") && is_renewed =>
                {
                    collisions += 1;
                    if collisions > COLLISIONS_MAX {
                        Err(problem)
                    } else {
                        self.come_after(&mut importable).await
                    }
                }
                Err(problem) if problem.code == "name_taken" && is_renewed => {
                    let chosen = importable.account.chosen;
                    self.name_for(access, chosen, &import.belonging).await.map(|other| name = Some(other))
                }
                Err(problem) => Err(problem),
                Ok(()) => break,
            };
            match written {
                Err(problem)
                    if is_renewed && problem.kind == ProblemKind::Unavailable && !self.store.is_closed() =>
                {
                    let id = &importable.id;
                    tracing::error!(connection = %id, %problem, "imported tokens cannot be written down yet");
                    tokio::time::sleep(PAUSE).await;
                }
                outcome => outcome?,
            }
        }
        let id = importable.id.as_str();
        let (connection, integration) = self.find_connection(&access.environment, None, id).await?;
        let report = importable.report.ok();
        Ok(CreatedConnection { connection, integration, report })
    }

    async fn write_import(
        self: &Arc<Self>,
        importable: &Importable<'_>,
        name: Option<String>,
    ) -> Result<(), Problem> {
        let changes = match &importable.existing {
            Some(connection) => self.in_its_place(importable, connection),
            None => self.in_a_new_place(importable, name).await?,
        };
        self.commit(&changes).await.map(drop)
    }

    /// Takes notice of what somebody has made or changed meanwhile: the tokens are good for it as well.
    async fn come_after(self: &Arc<Self>, importable: &mut Importable<'_>) -> Result<(), Problem> {
        let Importable { access, import, tokens, .. } = *importable;
        let chosen = self.chosen(access, &import.integration).await?;
        importable.existing = self.with_the_same_id(access, &chosen, import).await?;
        importable.integration = chosen.integration.map(|integration| integration.id);
        let Some(connection) = &importable.existing else { return Ok(()) };
        let version = connection.sealed_version + NewConnection::SEALED_VERSION;
        if importable.id != connection.id || importable.sealed.place.version != version {
            let anew = TokensToTest { connection: &connection.id, version, ..tokens.clone() };
            importable.sealed = self.sealed_tokens(&anew).await?;
            importable.id = connection.id.clone();
        }
        Ok(())
    }

    async fn in_a_new_place(
        self: &Arc<Self>,
        importable: &Importable<'_>,
        name: Option<String>,
    ) -> Result<Vec<Change>, Problem> {
        let Importable { access, import, account, id, sealed, life, .. } = importable;
        let chosen = account.chosen;
        let (integration, mut changes) = if let Some(integration) = &importable.integration {
            (integration.clone(), Vec::new())
        } else {
            let own = IntegrationDraft::of_provider(&chosen.provider);
            self.new_integration(access, &chosen.provider, &own)?
        };
        let name = match name {
            Some(name) => name,
            None => self.name_for(access, chosen, &import.belonging).await?,
        };
        let object = Object { kind: "connection".into(), id: id.to_string(), label: name.clone() };
        let (health, health_detail) = importable.health(self.now());
        changes.push(Change::InsertConnection(NewConnection {
            id: id.clone(),
            environment_id: access.environment.clone(),
            integration_id: integration,
            name,
            connection_id: import.connection_id.clone(),
            target: account.target(sealed.place.hosts.clone()),
            sealed: Some(sealed.sealed.clone()),
            life: *life,
            settings: json!(account.settings),
            health,
            health_detail,
            last_tested_at: Some(self.now()),
            tags: import.tags.clone(),
            metadata: import.metadata.clone(),
            end_user: import.belonging.end_user.clone(),
            webhook_url: import.belonging.webhook_url.clone(),
        }));
        let detail = json!({ "provider": chosen.provider.id, "integration": chosen.key, "imported": true });
        changes.extend(events(access, "connection.created", object, detail, true));
        Ok(changes)
    }

    /// Refuses a name that another connection has.
    async fn require_free_name(&self, access: &Access, name: &str) -> Result<(), Problem> {
        match self.store.connection_named(&access.environment, name).await? {
            Some(_) => Err(StoreError::NameTaken { name: name.to_owned() }.into()),
            None => Ok(()),
        }
    }

    async fn accounted<'a>(
        &self,
        access: &Access,
        import: &ConnectionImport,
        chosen: &'a Chosen,
        tokens: &ImportedTokens,
    ) -> Result<Accounted<'a>, Problem> {
        let scheme = chosen.scheme(tokens.tokens.mode())?;
        let provider = &chosen.provider;
        let (mut fields, given) = split_settings(provider, named(provider, scheme, import.config.clone()));
        let wanted = chosen.integration.as_ref().and_then(|known| known.oauth_client.as_ref());
        let mut wanted = wanted.map(ToString::to_string);
        let mut is_new = false;
        if let Some(own) = &tokens.client {
            let (id, made) = self.own_client(access, chosen, scheme, own, &mut fields).await?;
            (wanted, is_new) = (Some(id), made);
        }
        let client = match self.client_for(access, provider, scheme, wanted.as_deref(), &fields).await {
            Ok(client) => Some(client),
            // A connection without a client works until its token ends.
            Err(problem) if problem.code == "no_oauth_client" => None,
            Err(problem) => return Err(problem),
        };
        if let Some(client) = &client {
            fields = merged_config(provider, scheme, client, fields)?;
        }
        let typed = fields.into_iter().map(|(name, value)| (name, value.into())).collect();
        let Accepted { mut config, .. } = Form { provider, scheme, now: self.now().as_milliseconds() / 1000 }
            .accept(&typed)
            .map_err(Problem::fields)?;
        let (settings, routing) = accept_settings(provider, &given)?;
        config.extend(routing);
        Ok(Accounted { chosen, scheme, client, is_new, config, settings })
    }

    /// The client that a connection brings along: the one with its id at the vendor, or a new one, and whether it is new.
    async fn own_client(
        &self,
        access: &Access,
        chosen: &Chosen,
        scheme: &AuthScheme,
        own: &OwnClient,
        fields: &mut BTreeMap<String, String>,
    ) -> Result<(String, bool), Problem> {
        // What somebody registered in a connect session is theirs, whatever id they gave it.
        let of = (chosen.provider.id.as_str(), scheme.id.as_str());
        let all = self.store.oauth_clients_for(&access.environment, of, None).await?;
        if let Some(known) = all.iter().find(|known| known.client_id == own.client_id) {
            return Ok((known.id.to_string(), false));
        }
        let mut config = own.config.clone();
        // It came along with the account, so it is registered where the account is.
        for name in host_fields(&chosen.provider, scheme) {
            let (field, value) = (chosen.provider.config.get(name), fields.get_mut(name));
            let Some((field, value)) = field.zip(value) else { continue };
            if let Some(accepted) = field.accept(name, value).map_err(|fault| Problem::fields(vec![fault]))? {
                accepted.clone_into(value);
                config.entry(name.to_owned()).or_insert(accepted);
            }
        }
        let draft = OAuthClientDraft {
            provider: chosen.provider.id.clone(),
            auth_scheme: Some(scheme.id.clone()),
            name: format!("{} – {}", chosen.key, own.client_id).chars().take(255).collect(),
            client_id: Some(own.client_id.clone()),
            client_secret: own.client_secret.clone(),
            config,
            scopes: own.scopes.clone().unwrap_or_default(),
            shared_callback: false,
        };
        let made = self.create_oauth_client(access, &draft).await?;
        Ok((made.id.to_string(), true))
    }

    /// The tokens as credentials. Requests of the older version are signed with the client's secret as well.
    async fn credentials_of(
        &self,
        account: &Accounted<'_>,
        tokens: &VendorTokens,
    ) -> Result<Credentials, Problem> {
        let (token, secret) = match tokens {
            VendorTokens::OAuth2 { access_token, refresh_token, .. } => {
                let mut builder =
                    CredentialsBuilder::new().value(OAuth2::ACCESS_TOKEN, access_token.expose_secret());
                if let Some(refresh_token) = refresh_token {
                    builder = builder.value(OAuth2::REFRESH_TOKEN, refresh_token.expose_secret());
                }
                return Ok(builder.build());
            }
            VendorTokens::OAuth1 { token, secret } => (token, secret),
        };
        let client = account.client.as_ref().ok_or_else(|| {
            let what = format!("There is no OAuth client of {}", account.chosen.provider.name.en);
            let fix = "Make it first, and set it as that of the integration.";
            Problem::new(ProblemKind::Conflict, "no_oauth_client", what, fix)
        })?;
        let sealed = self.client_secret(client).await?;
        let opened = sealed.as_ref().map(SealedCredentials::open).transpose()?;
        let of_client = opened.as_ref().and_then(|opened| opened.value(OAuth2::CLIENT_SECRET));
        Ok(CredentialsBuilder::new()
            .value(OAuth1::TOKEN, token.expose_secret())
            .value(OAuth1::TOKEN_SECRET, secret.expose_secret())
            .value(OAuth1::CONSUMER_KEY, &client.client_id)
            .value(OAuth1::CONSUMER_SECRET, of_client.unwrap_or_default())
            .build())
    }

    /// New tokens, when the access token has ended or is about to and can be renewed.
    async fn renewed_at_once(
        &self,
        account: &Accounted<'_>,
        tokens: &VendorTokens,
        given: &Credentials,
        hosts: &HostSet,
        spread: u64,
    ) -> Result<Option<(Credentials, TokenLife)>, Problem> {
        let now = self.now();
        let ends_soon = tokens.expires_at().is_some_and(|end| end <= now.plus(SHORT));
        let Some(client) = account.renewing_client(tokens).filter(|_| ends_soon) else { return Ok(None) };
        let oauth2 = account.oauth2()?;
        let provider: &Provider = &account.chosen.provider;
        let settings = all_settings(provider, account.settings.clone(), &account.config);
        let exchange = Exchange {
            provider,
            oauth2,
            config: &account.config,
            hosts,
            options: route_options(&settings)?,
            client: Client::Ours(client),
            grant: Grant::RefreshToken,
            previous: Some(given),
            gates: &[],
            keeps_client: account.scheme.sends_client(),
        };
        let renewed = self.exchange(exchange).await.map_err(Unanswered::into_problem)?;
        let life = life_of(account.scheme, &renewed, now, spread);
        Ok(Some((renewed.credentials, life)))
    }

    fn in_its_place(&self, importable: &Importable<'_>, connection: &Connection) -> Vec<Change> {
        let Importable { access, account, sealed, life, .. } = importable;
        let mut update =
            ConnectionUpdate::new(access.environment.clone(), connection.id.clone(), connection.version);
        update.settings = Some(json!(account.settings));
        let version = sealed.place.version;
        let target = account.target(sealed.place.hosts.clone());
        update.target = Some((target, Some(sealed.sealed.clone()), *life));
        let now = self.now();
        let (health, detail) = importable.health(now);
        let news = News {
            health,
            detail,
            tested_at: Some(now),
            next_test_at: None,
            sealed_version: version,
            outdates: true,
        };
        let mut changes = vec![Change::UpdateConnection(update)];
        changes.extend(noted(access, connection, news));
        let detail = json!({ "auth_scheme": account.scheme.id, "imported": true });
        changes.extend(events(access, "connection.reconnected", object_of(connection), detail, true));
        changes
    }
}

impl Importable<'_> {
    /// How the connection does, by its test.
    fn health(&self, now: Timestamp) -> (Health, Json) {
        match &self.report {
            Ok(report) => (health_of(report, self.life.ends_at, now, now), health_detail(Some(report))),
            Err(problem) => {
                let mut detail = health_detail(None);
                detail["test"] = json!({ "code": problem.code, "what": problem.what, "fix": problem.fix });
                (Health::Failing, detail)
            }
        }
    }
}

impl VendorTokens {
    fn mode(&self) -> AuthMode {
        match self {
            Self::OAuth2 { .. } => AuthMode::OAuth2,
            Self::OAuth1 { .. } => AuthMode::OAuth1,
        }
    }

    fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::OAuth2 { expires_at, .. } => *expires_at,
            Self::OAuth1 { .. } => None,
        }
    }

    fn is_renewable(&self) -> bool {
        matches!(self, Self::OAuth2 { refresh_token: Some(_), .. })
    }
}

impl Accounted<'_> {
    /// The client that can renew the tokens, if they can be renewed at all.
    fn renewing_client(&self, tokens: &VendorTokens) -> Option<&OAuthClient> {
        self.client.as_ref().filter(|_| tokens.is_renewable())
    }

    /// The life of tokens that are taken as they are.
    fn life_of(&self, tokens: &VendorTokens, now: Timestamp) -> TokenLife {
        let is_renewable = self.renewing_client(tokens).is_some();
        let end = tokens.expires_at();
        TokenLife {
            expires_at: end,
            renew_at: end.filter(|_| is_renewable).map(|end| now.max(end.minus(SHORT))),
            ends_at: end.filter(|_| !is_renewable),
        }
    }

    fn oauth2(&self) -> Result<&OAuth2, Problem> {
        self.scheme.oauth2().ok_or_else(|| super::authorization::scheme_gone(&self.scheme.id))
    }

    fn target(&self, hosts: HostSet) -> Target {
        Target {
            auth_scheme: self.scheme.id.clone(),
            config: json!(self.config),
            gates: json!([]),
            hosts,
            certificate_expires_at: None,
            oauth_client: self.client.as_ref().map(|client| client.id.clone()),
        }
    }
}
