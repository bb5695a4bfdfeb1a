//! Tokens that another product had, brought along with a connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tombolo_auth::{Accepted, Credentials, CredentialsBuilder, Form, Grant};
use tombolo_catalog::{AuthMode, AuthScheme, OAuth2, Provider};
use tombolo_store::{
    Change, Connection, ConnectionUpdate, NewConnection, OAuthClient, Object, Target, Timestamp, TokenLife,
};
use tombolo_vault::HostSet;

use super::callback::spread;
use super::clients::merged_config;
use super::exchange::{Client, Exchange, Unanswered, life_of};
use super::testing::TokensToTest;
use crate::access::Access;
use crate::connect::Chosen;
use crate::connection_test::TestReport;
use crate::connections::{CreatedConnection, all_settings, object_of};
use crate::credentials::SealedCredentials;
use crate::health::{News, health_detail, health_of, noted};
use crate::import::ConnectionImport;
use crate::integrations::IntegrationDraft;
use crate::platform::{Platform, events};
use crate::preparation::{accept_settings, split_settings};
use crate::problem::Problem;
use crate::proxy::route_options;

/// An access token that is good for less is renewed before anything else.
const SHORT: std::time::Duration = std::time::Duration::from_mins(1);

/// What a vendor gave for a person's account.
pub struct ImportedTokens {
    /// The access token.
    pub access_token: SecretString,
    /// What renews it.
    pub refresh_token: Option<SecretString>,
    /// When the access token ends, as far as anybody knows.
    pub expires_at: Option<Timestamp>,
}

/// Everything about the import that was accepted.
struct Accounted<'a> {
    chosen: &'a Chosen,
    scheme: &'a AuthScheme,
    client: Option<OAuthClient>,
    config: BTreeMap<String, String>,
    settings: BTreeMap<String, String>,
}

impl Platform {
    /// Takes a connection with tokens over, in the place of `existing` if there is one. Tokens that have ended are renewed
    /// first: the other product must not renew them any more, because a vendor may take a refresh token only once.
    pub(crate) async fn import_tokens(
        self: &Arc<Self>,
        access: &Access,
        import: &ConnectionImport,
        chosen: &Chosen,
        tokens: &ImportedTokens,
        existing: Option<&Connection>,
    ) -> Result<CreatedConnection, Problem> {
        let account = self.accounted(access, import, chosen).await?;
        let id = match existing {
            Some(connection) => connection.id.clone(),
            None => self.new_connection_id()?,
        };
        let token_hosts = self.token_hosts(&chosen.provider, account.scheme, &account.config, &[])?;
        let (credentials, life) = self.with_living_token(&account, tokens, &token_hosts, spread(&id)).await?;
        let version =
            existing.map_or(0, |connection| connection.sealed_version) + NewConnection::SEALED_VERSION;
        let to_test = TokensToTest {
            gates: &[],
            environment: &access.environment,
            connection: &id,
            version,
            integration: &chosen.key,
            provider: &chosen.provider,
            auth_scheme: &account.scheme.id,
            settings: &account.settings,
            config: &account.config,
            token_hosts,
            credentials: &credentials,
        };
        let (sealed, report) = self.tested_tokens(to_test).await?;
        let changes = if let Some(connection) = existing {
            self.in_its_place(access, &account, connection, sealed, life, &report)
        } else {
            let (integration, mut changes) = if let Some(integration) = &chosen.integration {
                (integration.id.clone(), Vec::new())
            } else {
                let own = IntegrationDraft::of_provider(&chosen.provider);
                self.new_integration(access, &chosen.provider, &own)?
            };
            let name = match &import.name {
                Some(name) => name.clone(),
                None => self.name_for(access, chosen, &import.belonging).await?,
            };
            let object = Object { kind: "connection".into(), id: id.to_string(), label: name.clone() };
            changes.push(Change::InsertConnection(NewConnection {
                id: id.clone(),
                environment_id: access.environment.clone(),
                integration_id: integration,
                name,
                connection_id: import.connection_id.clone(),
                target: account.target(sealed.place.hosts.clone()),
                sealed: Some(sealed.sealed),
                life,
                settings: json!(account.settings),
                health: health_of(&report, life.ends_at, self.now(), self.now()),
                health_detail: health_detail(Some(&report)),
                last_tested_at: Some(self.now()),
                tags: import.tags.clone(),
                metadata: import.metadata.clone(),
                end_user: import.belonging.end_user.clone(),
                webhook_url: import.belonging.webhook_url.clone(),
            }));
            let detail =
                json!({ "provider": chosen.provider.id, "integration": chosen.key, "imported": true });
            changes.extend(events(access, "connection.created", object, detail, true));
            changes
        };
        self.commit(&changes).await?;
        let (connection, integration) = self.find_connection(&access.environment, None, id.as_str()).await?;
        Ok(CreatedConnection { connection, integration, report: Some(report) })
    }

    async fn accounted<'a>(
        &self,
        access: &Access,
        import: &ConnectionImport,
        chosen: &'a Chosen,
    ) -> Result<Accounted<'a>, Problem> {
        let scheme = chosen.scheme(AuthMode::OAuth2)?;
        let provider = &chosen.provider;
        let (mut fields, given) = split_settings(provider, import.config.clone());
        let wanted = chosen.integration.as_ref().and_then(|known| known.oauth_client.as_ref());
        let wanted = wanted.map(ToString::to_string);
        let client = match self.client_for(access, provider, scheme, wanted.as_deref(), &fields).await {
            Ok(client) => Some(client),
            // A connection without a client works until its token ends.
            Err(problem) if problem.code == "no_oauth_client" => None,
            Err(problem) => return Err(problem),
        };
        if let Some(client) = &client {
            fields = merged_config(client, fields)?;
        }
        let typed = fields.into_iter().map(|(name, value)| (name, value.into())).collect();
        let Accepted { mut config, .. } = Form { provider, scheme, now: self.now().as_milliseconds() / 1000 }
            .accept(&typed)
            .map_err(Problem::fields)?;
        let (settings, routing) = accept_settings(provider, &given)?;
        config.extend(routing);
        Ok(Accounted { chosen, scheme, client, config, settings })
    }

    /// The tokens as they are, or new ones when the access token has ended and can be renewed.
    async fn with_living_token(
        &self,
        account: &Accounted<'_>,
        tokens: &ImportedTokens,
        hosts: &HostSet,
        spread: u64,
    ) -> Result<(Credentials, TokenLife), Problem> {
        let mut builder =
            CredentialsBuilder::new().value(OAuth2::ACCESS_TOKEN, tokens.access_token.expose_secret());
        if let Some(refresh_token) = &tokens.refresh_token {
            builder = builder.value(OAuth2::REFRESH_TOKEN, refresh_token.expose_secret());
        }
        let (credentials, now) = (builder.build(), self.now());
        let client = account.client.as_ref().filter(|_| tokens.refresh_token.is_some());
        let ends_soon = tokens.expires_at.is_some_and(|end| end <= now.plus(SHORT));
        let Some(client) = client.filter(|_| ends_soon) else {
            let renew_at = client.and_then(|_| tokens.expires_at.map(|end| now.max(end.minus(SHORT))));
            let ends_at = tokens.expires_at.filter(|_| client.is_none());
            return Ok((credentials, TokenLife { expires_at: tokens.expires_at, renew_at, ends_at }));
        };
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
            previous: Some(&credentials),
            gates: &[],
            keeps_client: account.scheme.sends_client(),
        };
        let renewed = self.exchange(exchange).await.map_err(Unanswered::into_problem)?;
        let life = life_of(account.scheme, &renewed, now, spread);
        Ok((renewed.credentials, life))
    }

    fn in_its_place(
        &self,
        access: &Access,
        account: &Accounted<'_>,
        connection: &Connection,
        sealed: SealedCredentials,
        life: TokenLife,
        report: &TestReport,
    ) -> Vec<Change> {
        let mut update =
            ConnectionUpdate::new(access.environment.clone(), connection.id.clone(), connection.version);
        update.settings = Some(json!(account.settings));
        let version = sealed.place.version;
        update.target = Some((account.target(sealed.place.hosts), Some(sealed.sealed), life));
        let now = self.now();
        let news = News {
            health: health_of(report, life.ends_at, now, now),
            detail: health_detail(Some(report)),
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

impl Accounted<'_> {
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
