//! One renewal, from the lease to the stored tokens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tombolo_auth::Grant;
use tombolo_catalog::OAuth2;
use tombolo_egress::TimeOuts;
use tombolo_store::{
    BegunRenewal, Change, Connection, ConnectionId, CredentialsReplacement, EnvironmentId, Lease,
    RenewalStart, StoreError, TokenLife,
};

use super::super::account_tokens::{Account, Reach};
use super::super::authorization::scheme_of;
use super::super::callback::spread;
use super::super::exchange::{Client, Exchange, Unanswered, life_of};
use super::failure::standing_failure;
use super::{Outcome, gone, interrupted, nothing_to_renew};
use crate::connections::{all_settings, gates_of, place_of, texts};
use crate::credentials::{Place, identity_of};
use crate::health::{earliest, mended};
use crate::platform::Platform;
use crate::problem::Problem;
use crate::proxy::route_options;
use crate::restoration::restored;

/// How long a renewal belongs to its process without a sign of life: what a killed one leaves behind is taken up after
/// this time.
const LEASE: Duration = Duration::from_secs(4);
/// How often a process gives a sign of life.
const BEAT: Duration = Duration::from_secs(1);
/// The first and the longest pause between two looks whether another process's renewal has ended, and between two
/// attempts to write tokens down.
const PAUSES: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(400));

impl Platform {
    pub(super) async fn renew_alone(
        self: &Arc<Self>,
        environment: &EnvironmentId,
        id: &ConnectionId,
        seen_version: u64,
    ) -> Outcome {
        // A database that was put back to an older state holds refresh tokens that must not be used.
        self.directory.poll(&self.store).await?;
        self.mind_restoration().await?;
        let mut pauses = Pauses::default();
        loop {
            let (node, now) = (&self.name, self.now());
            let writing = self.renewals.writers.acquire().await;
            let start = self.store.begin_renewal(environment, id, seen_version, node, LEASE, now).await?;
            drop(writing);
            match start {
                RenewalStart::Gone => return Err(gone()),
                RenewalStart::Renewed => return Ok(()),
                RenewalStart::Postponed(renewal) => return Err(standing_failure(&renewal, now)),
                RenewalStart::Begun(begun) => return self.carry_out(&begun).await,
                RenewalStart::Restored => return Err(restored()),
                RenewalStart::Held => pauses.next().await,
            }
        }
    }

    async fn carry_out(self: &Arc<Self>, begun: &BegunRenewal) -> Outcome {
        tokio::select! {
            outcome = self.attempt(begun) => outcome,
            never = self.give_signs_of_life(&begun.lease) => match never {},
        }
    }

    async fn give_signs_of_life(&self, lease: &Lease) -> Infallible {
        loop {
            tokio::time::sleep(BEAT).await;
            // What matters is decided when the tokens are written: until then the work goes on in any case.
            if let Err(error) = self.store.renew_lease(lease, LEASE, self.now()).await {
                tracing::warn!(lease = lease.name, %error, "a sign of life could not be given");
            }
        }
    }

    async fn attempt(self: &Arc<Self>, begun: &BegunRenewal) -> Outcome {
        if let Some(interruption) = &begun.renewal.interrupted {
            tracing::warn!(
                connection = %begun.connection.id, node = interruption.node,
                "an earlier renewal ended without a word; it is tried again"
            );
        }
        match self.ask_anew(&begun.connection).await {
            Ok(replacement) => self.write_down(begun, replacement).await,
            Err(unanswered) => self.note_failure(begun, unanswered).await,
        }
    }

    /// New credentials for a connection, sealed for its next version.
    async fn ask_anew(
        self: &Arc<Self>,
        connection: &Connection,
    ) -> Result<CredentialsReplacement, Unanswered> {
        let environment = &connection.environment_id;
        let sealed = connection.sealed.clone().ok_or_else(nothing_to_renew)?;
        let integration = self.store.integration_by_id(environment, &connection.integration_id).await;
        let integration = integration.map_err(Problem::from)?.ok_or_else(nothing_to_renew)?;
        let provider = self.provider_of(&integration)?;
        let scheme = scheme_of(&provider, &connection.target.auth_scheme)?;
        let config = texts(&connection.target.config);
        let settings = all_settings(&provider, texts(&connection.settings), &config);
        let mut options = route_options(&settings)?;
        let patience = self.renewal_patience.vendor;
        options.time_outs = TimeOuts { head: patience, body_idle: patience, ..options.time_outs };
        let old = self.safe.stored(&self.store, place_of(connection), sealed).await?.open()?;
        let ours = match &connection.target.oauth_client {
            Some(id) => self.store.oauth_client(environment, id.as_str()).await.map_err(Problem::from)?,
            None => None,
        };
        options.tls.identity = identity_of(&old)?;
        // Before the vendor is asked: once there are new tokens, nothing may be missing to keep them.
        let sealer = self.safe.sealer(&self.store, environment).await?;
        let now = self.now();
        let (hosts, gates) = (&connection.target.hosts, &gates_of(connection)[..]);
        let tokens = match (scheme.oauth2().filter(|_| scheme.needs_browser()), &ours) {
            (Some(oauth2), Some(client)) => {
                let exchange = Exchange {
                    provider: &provider,
                    oauth2,
                    config: &config,
                    gates,
                    hosts,
                    options,
                    client: Client::Ours(client),
                    grant: Grant::RefreshToken,
                    previous: Some(&old),
                    keeps_client: false,
                };
                self.exchange(exchange).await?
            }
            (Some(_), None) => return Err(nothing_to_renew().into()),
            (None, _) => {
                let account =
                    Account { provider: &provider, scheme, config: &config, gates, options, known: &old };
                let tokens = self.account_tokens(account, &mut Reach::Bound(hosts)).await?;
                tokens.ok_or_else(nothing_to_renew)?
            }
        };
        let keeps_refresh_token =
            tokens.credentials.value(OAuth2::REFRESH_TOKEN) == old.value(OAuth2::REFRESH_TOKEN);
        let place = Place { version: connection.sealed_version + 1, ..place_of(connection) };
        let sealed = self.safe.seal_with(sealer, place, &tokens.credentials)?;
        let life = life_of(scheme, &tokens, now, spread(&connection.id));
        Ok(CredentialsReplacement {
            environment_id: environment.clone(),
            id: connection.id.clone(),
            expected_sealed_version: connection.sealed_version,
            sealed: sealed.sealed,
            hosts: connection.target.hosts.clone(),
            keeps_refresh_token,
            // A vendor that keeps the refresh token has no reason to say again when it ends.
            life: TokenLife {
                ends_at: earliest(
                    life.ends_at.or(connection.life.ends_at),
                    connection.target.certificate_expires_at,
                ),
                ..life
            },
        })
    }

    /// Writes new tokens down, however long the database takes to come back: they exist nowhere else, and nobody uses
    /// them before.
    async fn write_down(&self, begun: &BegunRenewal, replacement: CredentialsReplacement) -> Outcome {
        let id = replacement.id.clone();
        let mut lease = begun.lease.clone();
        let mut pauses = Pauses::default();
        loop {
            let mut changes = vec![
                Change::RequireLease(lease.clone()),
                Change::ReplaceCredentials(replacement.clone()),
                Change::ReleaseLease(lease.clone()),
            ];
            changes.extend(mended(&begun.connection, replacement.life, self.now()));
            let writing = self.renewals.writers.acquire().await;
            let written = self.store.commit(&changes, self.now()).await;
            drop(writing);
            match written {
                Ok(committed) => {
                    self.directory.committed(&committed);
                    self.remember_progress();
                    if pauses.waited() {
                        tracing::info!(connection = %id, "new tokens are written down at last");
                    }
                    return Ok(());
                }
                Err(StoreError::NotFound { .. }) => {
                    let sealed = Some(replacement.sealed.clone());
                    let sealed_version = replacement.expected_sealed_version + 1;
                    let late = Connection { sealed, sealed_version, ..begun.connection.clone() };
                    self.give_back_late(late).await;
                    self.store.release_lease(&lease).await?;
                    return Ok(());
                }
                // Somebody wrote other credentials, or this very commit went through although it was reported as failed.
                Err(StoreError::VersionConflict { .. }) => {
                    self.store.release_lease(&lease).await?;
                    return Ok(());
                }
                Err(_) if self.store.is_closed() => return Err(interrupted()),
                // Another process held this one for dead. When it is done, the version tells whose tokens count.
                Err(StoreError::LeaseLost { .. }) => {
                    if let Ok(Some(taken)) =
                        self.store.take_lease(&lease.name, &self.name, LEASE, self.now()).await
                    {
                        lease = taken;
                    }
                }
                Err(error) => {
                    if !pauses.waited() {
                        tracing::error!(
                            connection = %id, %error,
                            "new tokens cannot be written down; they are kept until the database answers"
                        );
                    }
                }
            }
            pauses.next().await;
        }
    }
}

/// Pauses that double.
#[derive(Default)]
struct Pauses(Option<Duration>);

impl Pauses {
    fn waited(&self) -> bool {
        self.0.is_some()
    }

    async fn next(&mut self) {
        let (first, longest) = PAUSES;
        let pause = self.0.map_or(first, |last| (last * 2).min(longest));
        self.0 = Some(pause);
        tokio::time::sleep(pause).await;
    }
}
