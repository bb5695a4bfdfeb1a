//! Tokens are tested before they are kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use tombolo_auth::Credentials;
use tombolo_catalog::{GateKind, Provider};
use tombolo_store::{ConnectionId, EnvironmentId};
use tombolo_vault::HostSet;

use crate::connection_test::{self, TestReport};
use crate::connections::all_settings;
use crate::credentials::{Place, Purpose, SealedCredentials, api_host};
use crate::platform::Platform;
use crate::problem::Problem;
use crate::proxy::{Freshness, Learned, Plan, PlanSource, origin};

/// Tokens for a connection that is to be, or to be mended.
#[derive(Clone)]
pub(super) struct TokensToTest<'a> {
    pub(super) environment: &'a EnvironmentId,
    pub(super) connection: &'a ConnectionId,
    /// The record version that they are sealed for.
    pub(super) version: u64,
    pub(super) integration: &'a str,
    pub(super) provider: &'a Arc<Provider>,
    pub(super) auth_scheme: &'a str,
    pub(super) settings: &'a BTreeMap<String, String>,
    pub(super) config: &'a BTreeMap<String, String>,
    /// The gates that the connection comes through; what opens them is among the credentials.
    pub(super) gates: &'a [GateKind],
    pub(super) token_hosts: HostSet,
    pub(super) credentials: &'a Credentials,
}

impl Platform {
    /// Seals tokens for their connection and tests it.
    pub(super) async fn tested_tokens(
        self: &Arc<Self>,
        tokens: TokensToTest<'_>,
    ) -> Result<(SealedCredentials, TestReport), Problem> {
        let sealed = self.sealed_tokens(&tokens).await?;
        let report = self.test_sealed(&tokens, &sealed).await?;
        Ok((sealed, report))
    }

    /// Seals tokens for their connection.
    pub(super) async fn sealed_tokens(
        self: &Arc<Self>,
        tokens: &TokensToTest<'_>,
    ) -> Result<SealedCredentials, Problem> {
        let api = origin(&self.egress, tokens.provider, tokens.config, tokens.gates)?;
        let api = api_host(api.host(), api.port())?;
        let place = Place {
            environment: tokens.environment.clone(),
            purpose: Purpose::Credentials,
            object: tokens.connection.to_string(),
            version: tokens.version,
            hosts: tokens.token_hosts.iter().chain(api.iter()).cloned().collect(),
        };
        self.safe.seal(&self.store, place, tokens.credentials).await
    }

    /// Tests tokens that are sealed.
    pub(super) async fn test_sealed(
        self: &Arc<Self>,
        tokens: &TokensToTest<'_>,
        sealed: &SealedCredentials,
    ) -> Result<TestReport, Problem> {
        let plan = Arc::new(self.compiled(tokens, sealed)?);
        connection_test::run(&plan, &self.probe(), &mut |_| {}).await
    }

    /// Tokens and everything that belongs to them, ready to be called with; what cannot go together is a problem.
    pub(super) fn compiled(
        &self,
        tokens: &TokensToTest<'_>,
        sealed: &SealedCredentials,
    ) -> Result<Plan, Problem> {
        let source = PlanSource {
            environment: tokens.environment.clone(),
            connection: None,
            connection_id: tokens.connection.to_string(),
            integration: tokens.integration.to_owned(),
            provider: Arc::clone(tokens.provider),
            auth_scheme: tokens.auth_scheme.to_owned(),
            config: tokens.config.clone(),
            settings: all_settings(tokens.provider, tokens.settings.clone(), tokens.config),
            gates: tokens.gates.to_vec(),
            learned: Learned::default(),
            sealed: sealed.clone(),
            freshness: Freshness::default(),
            refused: false,
            moments: self.moments(),
        };
        Plan::compile(source, &self.egress, &self.governors)
    }
}
