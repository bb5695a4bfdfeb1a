//! Integrations of the other product, with what is registered with their vendors.

use std::collections::BTreeMap;

use tombolo_api::client::ClientError;
use tombolo_api::{CreateIntegration, CreateOAuthClient, OAuthClient, Provider, UpdateIntegration};

use super::nango::Run;
use super::report::{Fate, IntegrationRow, Obstacle};
use super::source::Refusal;
use super::wire::{Integration, Secrets};

/// The auth modes of accounts that are linked through a client of the integration.
const WITH_CLIENT: [&str; 5] = ["OAUTH2", "OAUTH1", "CUSTOM", "MCP_OAUTH2", "TBA"];

/// An integration whose connections can move.
pub(super) struct Usable {
    pub(super) provider: Provider,
    pub(super) display_name: String,
    /// What the other product keeps for the integration, if the key may see it.
    pub(super) client: Option<Secrets>,
    /// Whether there is, or would be, a client here.
    pub(super) has_oauth_client: bool,
}

/// Integrations by key: how their connections move, or why not.
pub(super) type Integrations = BTreeMap<String, Result<Usable, Obstacle>>;

impl Run<'_> {
    /// Moves one integration.
    pub(super) async fn move_integration(
        &self,
        listed: &Integration,
    ) -> anyhow::Result<(IntegrationRow, Result<Usable, Obstacle>)> {
        let mut row = IntegrationRow {
            key: listed.unique_key.clone(),
            provider: listed.provider.clone(),
            fate: Fate::AlreadyThere,
            redirect_uri: None,
            shared_callback: false,
            notes: Vec::new(),
        };
        let moved = self.moved(listed, &mut row).await?;
        match moved {
            Ok(usable) => Ok((row, Ok(usable))),
            Err(obstacle) => {
                row.fate = Fate::CannotMove(obstacle.clone());
                let why = format!("its integration cannot move: {}", obstacle.reason);
                Ok((row, Err(Obstacle::new("integration_not_moved", why, obstacle.fix))))
            }
        }
    }

    async fn moved(
        &self,
        listed: &Integration,
        row: &mut IntegrationRow,
    ) -> anyhow::Result<Result<Usable, Obstacle>> {
        let provider = match self.api.read_provider(&listed.provider).await {
            Ok(provider) => provider,
            Err(error) if error.api().is_some_and(|error| error.status == 404) => {
                return Ok(Err(unknown_provider(&listed.provider)));
            }
            Err(error) => return Err(error.into()),
        };
        let (client, may_see_client) = match self.source.integration(&listed.unique_key, self.progress).await
        {
            Ok(full) => (full.credentials, true),
            Err(Refusal::Said { status, .. }) if status == http::StatusCode::FORBIDDEN => (None, false),
            Err(Refusal::Said { code, message, .. }) => {
                let what = format!("the other server does not show it: {message}");
                return Ok(Err(Obstacle::new(&code, what, "Look at the integration there.")));
            }
            Err(Refusal::Over(failure)) => return Err((*failure).into()),
        };
        let takes_client = (provider.auth_schemes.iter())
            .any(|scheme| WITH_CLIENT.contains(&scheme.auth_mode.as_str()) || scheme.auth_mode == "APP");
        if takes_client && !may_see_client {
            return Ok(Err(client_not_visible()));
        }
        if listed.forward_webhooks == Some(true) {
            row.notes.push("webhooks of the vendor are not forwarded here".to_owned());
        }
        if client.as_ref().is_some_and(|client| client.text("webhook_secret").is_some()) {
            row.notes.push("its webhook secret is not taken along".to_owned());
        }
        let mut usable = Usable {
            display_name: listed.display_name.clone().unwrap_or_else(|| provider.display_name.clone()),
            provider,
            client,
            has_oauth_client: false,
        };
        if let Some(known) = self.ours.iter().find(|known| known.unique_key == listed.unique_key) {
            if known.provider != listed.provider {
                let what = format!("its key is that of an integration of `{}` here", known.provider);
                let fix = "Rename the integration here or there: tombolo integration update KEY --key OTHER.";
                return Ok(Err(Obstacle::new("key_taken", what, fix)));
            }
            let known_client = known.oauth_client.as_ref();
            let client =
                self.clients.borrow().iter().find(|client| Some(&client.id) == known_client).cloned();
            usable.has_oauth_client = client.is_some();
            if client.is_some() || self.rehearses {
                tell_client(row, client.as_ref());
                return Ok(Ok(usable));
            }
        }
        let is_here = self.ours.iter().any(|known| known.unique_key == listed.unique_key);
        let outcome = self.made(listed, is_here, &mut usable, row).await;
        match outcome.map_err(Obstacle::of) {
            Ok(()) => Ok(Ok(usable)),
            Err(Ok(obstacle)) => Ok(Err(obstacle)),
            Err(Err(error)) => Err(error.into()),
        }
    }

    /// Makes the integration, with the client that is registered with the vendor; one that is here gets the client.
    async fn made(
        &self,
        listed: &Integration,
        is_here: bool,
        usable: &mut Usable,
        row: &mut IntegrationRow,
    ) -> Result<(), ClientError> {
        let takes_client = usable
            .provider
            .auth_schemes
            .iter()
            .any(|scheme| WITH_CLIENT.contains(&scheme.auth_mode.as_str()));
        let client_id = usable.client.as_ref().and_then(|client| client.text("client_id"));
        let client_id = client_id.filter(|_| takes_client).map(str::to_owned);
        usable.has_oauth_client = client_id.is_some();
        if self.rehearses {
            row.fate = Fate::CanMove;
            row.shared_callback = self.keeps_callback && client_id.is_some();
            return Ok(());
        }
        let client = match client_id {
            Some(client_id) => {
                Some(self.client(listed, &usable.provider, &client_id, usable.client.as_ref()).await?)
            }
            None => None,
        };
        if is_here {
            if let Some(client) = &client {
                let change = UpdateIntegration {
                    oauth_client: Some(client.id.clone()),
                    ..UpdateIntegration::default()
                };
                self.api.update_integration(&listed.unique_key, &change).await?;
            }
            if let Some(client) = &client {
                row.notes.push(format!("it got its OAuth client `{}`", client.name));
            }
            tell_client(row, client.as_ref());
            return Ok(());
        }
        let draft = CreateIntegration {
            provider: listed.provider.clone(),
            unique_key: listed.unique_key.clone(),
            display_name: listed.display_name.clone(),
            oauth_client: client.as_ref().map(|client| client.id.clone()),
            ..CreateIntegration::default()
        };
        self.api.create_integration(&draft).await?;
        row.fate = Fate::Moved;
        tell_client(row, client.as_ref());
        Ok(())
    }

    /// The client with this id at the vendor: one that an interrupted run made, or a new one.
    async fn client(
        &self,
        listed: &Integration,
        provider: &Provider,
        client_id: &str,
        secrets: Option<&Secrets>,
    ) -> Result<OAuthClient, ClientError> {
        let same = |known: &&OAuthClient| known.provider == provider.name && known.client_id == client_id;
        if let Some(known) = self.clients.borrow().iter().find(same) {
            return Ok(known.clone());
        }
        let is_taken = self.clients.borrow().iter().any(|known| known.name == listed.unique_key);
        let name = &listed.unique_key;
        let scopes = secrets.and_then(|secrets| secrets.text("scopes")).unwrap_or_default();
        let draft = CreateOAuthClient {
            name: if is_taken { format!("{name} (Nango)") } else { name.clone() },
            provider: provider.name.clone(),
            client_id: Some(client_id.to_owned()),
            client_secret: secrets.and_then(|secrets| secrets.text("client_secret")).map(str::to_owned),
            scopes: scopes
                .split(',')
                .map(str::trim)
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect(),
            shared_callback: self.keeps_callback,
            ..CreateOAuthClient::default()
        };
        let made = self.api.create_oauth_client(&draft).await?;
        self.clients.borrow_mut().push(made.clone());
        Ok(made)
    }
}

/// Says which redirect URI the client has, and what is weak about it.
fn tell_client(row: &mut IntegrationRow, client: Option<&OAuthClient>) {
    let Some(client) = client else { return };
    row.redirect_uri.clone_from(&client.redirect_uri);
    row.shared_callback = client.shared_callback;
    if client.shared_callback {
        row.notes.push(
            "it keeps /oauth/callback, which all such clients share: weaker than a redirect URI of its own"
                .to_owned(),
        );
    } else if client.redirect_uri.is_none() {
        row.notes.push(format!(
            "nobody knows the server's URL yet: `tombolo oauth-client show {}` tells the redirect URI later",
            crate::command::arguments::quoted(&client.name)
        ));
    }
}

fn client_not_visible() -> Obstacle {
    Obstacle::new(
        "client_not_visible",
        "the key may not see the client of the integration",
        "Use a key with the scope environment:integrations:read_credentials, and run the command again.",
    )
}

fn unknown_provider(id: &str) -> Obstacle {
    let what = format!("there is no provider `{id}` here");
    let fix = format!(
        "Load it from the provider file of the other product: `tombolo provider import FILE --only {} --into DIRECTORY`, with DIRECTORY as `providers.directory`; restart the server, and run the command again.",
        crate::command::arguments::quoted(id)
    );
    Obstacle::new("unknown_provider", what, fix)
}
