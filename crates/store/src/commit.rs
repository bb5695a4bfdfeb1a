use std::collections::BTreeSet;

use tombolo_vault::Random;

use crate::api_keys::{self, NewApiKey};
use crate::audit::{self, NewAuditEvent};
use crate::authorizations::{self, AuthorizationStep, NewAuthorization};
use crate::connect_sessions::{self, ConnectSessionSecrets, NewConnectSession};
use crate::connections::{
    self, ConnectionHealth, ConnectionUpdate, CredentialsReplacement, FailedRenewal, NewConnection,
};
use crate::database::Transaction;
use crate::environment_variables::{self, PutEnvironmentVariable};
use crate::environments::{self, NewEnvironment, PutEnvironmentSettings};
use crate::error::StoreError;
use crate::id::{
    ApiKeyId, ConnectSessionId, ConnectionId, EnvironmentId, IntegrationId, JobId, OAuthClientId,
    WebhookEventId,
};
use crate::integrations::{self, IntegrationUpdate, NewIntegration};
use crate::jobs::{self, JobLease, NewJob};
use crate::leases::{self, Lease};
use crate::notifications::NotificationChange;
use crate::oauth_clients::{self, NewOAuthClient, OAuthClientUpdate};
use crate::provider_requests::{self, NewProviderRequest, SettledProviderRequest};
use crate::restorations;
use crate::revocations::{self, Revocation};
use crate::schedules::{self, Schedule};
use crate::socket_messages::{self, SocketMessage};
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::users::UserChange;
use crate::webhook_events::{self, NewWebhookEvent};
use crate::webhooks::WebhookChange;

/// One thing to write. An act is a list of them, stored together or not at all.
#[derive(Debug, Clone)]
pub enum Change {
    /// Makes an environment.
    InsertEnvironment(NewEnvironment),
    /// Makes an integration.
    InsertIntegration(NewIntegration),
    /// Changes an integration.
    UpdateIntegration(IntegrationUpdate),
    /// Deletes an integration that has no connections.
    DeleteIntegration(EnvironmentId, IntegrationId),
    /// Makes a connection.
    InsertConnection(NewConnection),
    /// Changes a connection.
    UpdateConnection(ConnectionUpdate),
    /// Puts fresh credentials in the place of those that were read.
    ReplaceCredentials(CredentialsReplacement),
    /// Notes why new credentials could not be had, and puts the next attempt off or gives it up.
    FailRenewal(FailedRenewal),
    /// Notes how the connection does.
    RecordHealth(ConnectionHealth),
    /// Lets the refresh token of a connection be used although the database was restored since it was written.
    TrustRestored(EnvironmentId, ConnectionId),
    /// Notes that people were warned so many days before a connection's credentials end.
    WarnOfEnd(EnvironmentId, ConnectionId, u32),
    /// Empties the secrets of a connection, frees its name and hides it.
    DeleteConnection(EnvironmentId, ConnectionId),
    /// Keeps the credentials of a connection that is deleted in the same act, until its tokens are given back.
    InsertRevocation(Revocation),
    /// Keeps newer credentials of a connection that is deleted already.
    ReplaceRevocation(Revocation),
    /// Forgets them.
    DeleteRevocation(EnvironmentId, ConnectionId),
    /// Makes an OAuth client.
    InsertOAuthClient(NewOAuthClient),
    /// Changes an OAuth client.
    UpdateOAuthClient(OAuthClientUpdate),
    /// Deletes an OAuth client that no connection needs.
    DeleteOAuthClient(EnvironmentId, OAuthClientId),
    /// Makes an attempt to link an account at the vendor.
    InsertAuthorization(NewAuthorization),
    /// Takes such an attempt a step on, unless somebody else did.
    StepAuthorization(AuthorizationStep),
    /// Makes a connect session.
    InsertConnectSession(NewConnectSession),
    /// Puts other secrets in the place of those that a connect session has.
    SealConnectSession(ConnectSessionSecrets),
    /// Ends a connect session.
    EndConnectSession(EnvironmentId, ConnectSessionId),
    /// Leaves something to be told to a browser's socket.
    AddSocketMessage(SocketMessage),
    /// Writes a variable of an environment.
    PutEnvironmentVariable(PutEnvironmentVariable),
    /// Deletes a variable of an environment.
    DeleteEnvironmentVariable(EnvironmentId, String),
    /// Changes what the administrators of an environment decided.
    PutEnvironmentSettings(PutEnvironmentSettings),
    /// Makes an API key.
    InsertApiKey(NewApiKey),
    /// Refuses an API key from now on.
    RevokeApiKey(EnvironmentId, ApiKeyId),
    /// Notes that an API key was used on this day.
    TouchApiKey(EnvironmentId, ApiKeyId),
    /// Stores nothing unless the lease is still held.
    RequireLease(Lease),
    /// Gives the lease back.
    ReleaseLease(Lease),
    /// Enqueues a job.
    EnqueueJob(NewJob),
    /// Marks a claimed job as done.
    CompleteJob(JobLease),
    /// Notes why an attempt failed, and whether to try again.
    FailJob {
        /// The right to finish the job.
        lease: JobLease,
        /// What to show. Never a secret.
        error: String,
        /// Whether another attempt could help.
        retry: bool,
    },
    /// Ends a claim of a job that comes back: at this moment, or earlier if it was asked for meanwhile; with neither it is
    /// done.
    RestJob(JobLease, Option<Timestamp>),
    /// Ends a job that is queued or running, whoever works on it.
    CancelJob(JobId),
    /// Begins a job anew that died or was cancelled.
    RetryJob(JobId),
    /// Makes or changes a schedule.
    PutSchedule(Schedule),
    /// Writes news for an embedder, and a delivery for every webhook that wants it.
    AddWebhookEvent(NewWebhookEvent),
    /// Writes something about notifications.
    Notification(NotificationChange),
    /// Writes something else about webhooks.
    Webhook(WebhookChange),
    /// Writes something about people who sign in.
    User(UserChange),
    /// Asks for a provider.
    InsertProviderRequest(NewProviderRequest),
    /// Decides whether somebody gets a provider that they asked for.
    SettleProviderRequest(SettledProviderRequest),
    /// Writes who did what.
    Audit(NewAuditEvent),
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// The new generation of every environment whose caches are out of date.
    pub generations: Vec<(EnvironmentId, u64)>,
    /// The job of every [`Change::EnqueueJob`], in their order.
    pub jobs: Vec<JobId>,
    /// The event of every [`Change::AddWebhookEvent`], in their order.
    pub webhook_events: Vec<WebhookEventId>,
    /// How many deliveries every redelivery asked for, together.
    pub redelivered: u64,
}

impl Store {
    /// Stores all changes in one transaction, in their order, or none of them. Environments whose cached rows change get a
    /// new generation in the same transaction.
    pub async fn commit(&self, changes: &[Change], at: Timestamp) -> Result<Committed, StoreError> {
        let mut act = Act::begin(self, at).await?;
        match apply_all(&mut act, changes).await {
            Ok(committed) => act.transaction.commit().await.map(|()| committed),
            Err(error) => {
                act.transaction.undo().await;
                Err(error)
            }
        }
    }
}

/// The transaction of one act and what its writers need.
pub(crate) struct Act<'a> {
    pub(crate) transaction: Transaction,
    pub(crate) at: Timestamp,
    pub(crate) random: &'a dyn Random,
}

impl<'a> Act<'a> {
    pub(crate) async fn begin(store: &'a Store, at: Timestamp) -> Result<Self, StoreError> {
        Ok(Self { transaction: store.database.begin().await?, at, random: &*store.random })
    }
}

async fn apply_all(act: &mut Act<'_>, changes: &[Change]) -> Result<Committed, StoreError> {
    let mut committed = Committed::default();
    for environment in outdated_environments(changes) {
        let generation = environments::advance_generation(act, environment).await?;
        committed.generations.push((environment.clone(), generation));
    }
    for (position, change) in changes.iter().enumerate() {
        apply(act, &mut committed, position, change).await?;
    }
    Ok(committed)
}

async fn apply(
    act: &mut Act<'_>,
    committed: &mut Committed,
    position: usize,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::InsertEnvironment(new) => environments::insert(act, new).await,
        Change::InsertIntegration(new) => integrations::insert(act, new).await,
        Change::UpdateIntegration(update) => integrations::update(act, update).await,
        Change::DeleteIntegration(environment, id) => integrations::delete(act, environment, id).await,
        Change::InsertConnection(new) => connections::insert(act, new).await,
        Change::UpdateConnection(update) => connections::update(act, update).await,
        Change::ReplaceCredentials(replacement) => connections::replace_credentials(act, replacement).await,
        Change::FailRenewal(failed) => connections::fail_renewal(act, failed).await,
        Change::RecordHealth(health) => connections::record_health(act, health).await,
        Change::WarnOfEnd(environment, id, days) => {
            connections::warn_of_end(act, environment, id, *days).await
        }
        Change::TrustRestored(environment, id) => restorations::trust(act, environment, id).await,
        Change::DeleteConnection(environment, id) => connections::delete(act, environment, id).await,
        Change::InsertRevocation(new) => revocations::insert(act, new).await,
        Change::ReplaceRevocation(new) => revocations::replace(act, new).await,
        Change::DeleteRevocation(environment, id) => revocations::delete(act, environment, id).await,
        Change::InsertOAuthClient(new) => oauth_clients::insert(act, new).await,
        Change::UpdateOAuthClient(update) => oauth_clients::update(act, update).await,
        Change::DeleteOAuthClient(environment, id) => oauth_clients::delete(act, environment, id).await,
        Change::InsertAuthorization(new) => authorizations::insert(act, new).await,
        Change::StepAuthorization(step) => authorizations::step(act, step).await,
        Change::InsertConnectSession(new) => connect_sessions::insert(act, new).await,
        Change::SealConnectSession(new) => connect_sessions::seal(act, new).await,
        Change::EndConnectSession(environment, id) => connect_sessions::end(act, environment, id).await,
        Change::AddSocketMessage(new) => socket_messages::insert(act, new).await,
        Change::PutEnvironmentVariable(new) => environment_variables::put(act, new).await,
        Change::DeleteEnvironmentVariable(environment, name) => {
            environment_variables::delete(act, environment, name).await
        }
        Change::PutEnvironmentSettings(new) => environments::put_settings(act, new).await,
        Change::InsertApiKey(new) => api_keys::insert(act, new).await,
        Change::RevokeApiKey(environment, id) => api_keys::revoke(act, environment, id).await,
        Change::TouchApiKey(environment, id) => api_keys::touch(act, environment, id).await,
        Change::RequireLease(lease) => leases::require(act, lease).await,
        Change::ReleaseLease(lease) => leases::release(act, lease).await,
        Change::EnqueueJob(new) => {
            committed.jobs.push(jobs::enqueue(act, new).await?);
            Ok(())
        }
        Change::CompleteJob(lease) => jobs::complete(act, lease).await,
        Change::FailJob { lease, error, retry } => jobs::fail(act, lease, error, *retry).await,
        Change::RestJob(lease, until) => jobs::rest(act, lease, *until).await,
        Change::CancelJob(id) => jobs::cancel(act, id).await,
        Change::RetryJob(id) => jobs::retry(act, id).await,
        Change::PutSchedule(schedule) => schedules::put(act, schedule).await,
        Change::AddWebhookEvent(new) => {
            committed.webhook_events.push(webhook_events::insert(act, new).await?);
            Ok(())
        }
        Change::Notification(change) => change.apply(act).await,
        Change::Webhook(change) => {
            committed.redelivered += change.apply(act).await?;
            Ok(())
        }
        Change::User(change) => change.apply(act).await,
        Change::InsertProviderRequest(new) => provider_requests::insert(act, new).await,
        Change::SettleProviderRequest(settled) => provider_requests::settle(act, settled).await,
        Change::Audit(new) => audit::insert(act, new, position).await,
    }
}

/// Every existing environment with a change that caches must notice, sorted: all commits lock in the same order.
fn outdated_environments(changes: &[Change]) -> BTreeSet<&EnvironmentId> {
    let made_here = |id: &EnvironmentId| {
        changes.iter().any(|change| matches!(change, Change::InsertEnvironment(new) if new.id == *id))
    };
    changes
        .iter()
        .filter_map(|change| match change {
            Change::InsertIntegration(new) => Some(&new.environment_id),
            Change::UpdateIntegration(update) => Some(&update.environment_id),
            Change::InsertConnection(new) => Some(&new.environment_id),
            Change::UpdateConnection(update) => Some(&update.environment_id),
            Change::ReplaceCredentials(replacement) => Some(&replacement.environment_id),
            Change::RecordHealth(health) => health.outdates.then_some(&health.environment_id),
            Change::InsertOAuthClient(new) => Some(&new.environment_id),
            Change::UpdateOAuthClient(update) => Some(&update.environment_id),
            Change::InsertApiKey(new) => Some(&new.environment_id),
            Change::DeleteIntegration(environment, _)
            | Change::DeleteConnection(environment, _)
            | Change::TrustRestored(environment, _)
            | Change::DeleteOAuthClient(environment, _)
            | Change::RevokeApiKey(environment, _) => Some(environment),
            Change::InsertEnvironment(_)
            | Change::TouchApiKey(..)
            | Change::FailRenewal(_)
            | Change::InsertRevocation(_)
            | Change::ReplaceRevocation(_)
            | Change::DeleteRevocation(..)
            | Change::WarnOfEnd(..)
            | Change::InsertConnectSession(_)
            | Change::SealConnectSession(_)
            | Change::EndConnectSession(..)
            | Change::AddSocketMessage(_)
            | Change::PutEnvironmentVariable(_)
            | Change::DeleteEnvironmentVariable(..)
            | Change::PutEnvironmentSettings(..)
            | Change::InsertAuthorization(_)
            | Change::StepAuthorization(_)
            | Change::RequireLease(_)
            | Change::ReleaseLease(_)
            | Change::EnqueueJob(_)
            | Change::CompleteJob(_)
            | Change::FailJob { .. }
            | Change::RestJob(..)
            | Change::CancelJob(_)
            | Change::RetryJob(_)
            | Change::PutSchedule(_)
            | Change::AddWebhookEvent(_)
            | Change::Notification(_)
            | Change::Webhook(_)
            | Change::User(_)
            | Change::InsertProviderRequest(_)
            | Change::SettleProviderRequest(_)
            | Change::Audit(_) => None,
        })
        .filter(|id| !made_here(id))
        .collect()
}
