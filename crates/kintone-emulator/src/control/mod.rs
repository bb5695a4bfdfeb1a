//! What tests ask of the emulator beside the service's own API: faults, states, and what arrived.

mod api;
mod certificates;
mod log;
mod oauth;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json};

pub(crate) use api::ControlApi;
pub use log::LoggedRequest;
pub(crate) use log::RequestLog;
pub use oauth::BrowserSession;

use crate::faults::Fault;
use crate::http::{PfxError, TlsError};
use crate::model::{ApiToken, BasicGate, Permission, Tenant, User, UserCondition};
use crate::seed::{AppSeed, SeedError, add_record};
use crate::world::World;

/// Changes what the emulator holds and how it behaves, while it runs.
#[derive(Clone)]
pub struct Control {
    world: Arc<World>,
}

/// What a control call names is not there, or does not fit.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No tenant of this name.
    #[error("there is no tenant `{0}`")]
    UnknownTenant(String),
    /// No such token in the tenant.
    #[error("no app of the tenant has this API token")]
    UnknownToken,
    /// No such user in the tenant.
    #[error("the tenant has no user `{0}`")]
    UnknownUser(String),
    /// No such app in the tenant.
    #[error("the tenant has no app {0}")]
    UnknownApp(u64),
    /// No such OAuth client in the tenant.
    #[error("the tenant has no OAuth client `{0}`")]
    UnknownOAuthClient(String),
    /// Nobody signs client certificates here: a simulator has none.
    #[error("there are no client certificates here; start an emulator")]
    NoClientCertificates,
    /// A client certificate could not be signed.
    #[error(transparent)]
    Certificate(#[from] TlsError),
    /// A client certificate could not be packed.
    #[error(transparent)]
    Pfx(#[from] PfxError),
    /// What was given is no valid app or record.
    #[error(transparent)]
    Seed(#[from] SeedError),
}

impl Control {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    /// The requests that arrived at the service, oldest first; at most the last 10,000.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.world.log().list()
    }

    /// Forgets the requests that arrived so far.
    pub fn clear_requests(&self) {
        self.world.log().clear();
    }

    /// Disturbs the requests that the fault describes.
    pub fn inject(&self, fault: Fault) {
        self.world.faults().add(fault);
    }

    /// The faults that still wait for requests.
    pub fn faults(&self) -> Vec<Fault> {
        self.world.faults().list().to_vec()
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.world.faults().clear();
    }

    /// Lets the service's clock show this instant; it goes on from there.
    pub fn set_clock(&self, now: Timestamp) {
        self.world.set_clock(now);
    }

    /// Moves the service's clock.
    pub fn advance_clock(&self, by: SignedDuration) {
        self.world.advance_clock(by);
    }

    /// What the service's clock shows.
    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// Puts everything back to the seed: tenants, clock, faults, log, cursors.
    pub fn reset(&self) -> Result<(), ControlError> {
        Ok(self.world.reset()?)
    }

    /// Names of the tenants.
    pub fn tenants(&self) -> Vec<String> {
        self.world.tenant_names()
    }

    /// Deletes an API token; requests with it are refused with `GAIA_IA02`.
    pub fn revoke_token(&self, tenant: &str, token: &str) -> Result<(), ControlError> {
        self.change(tenant, |tenant| {
            for app in tenant.apps.values_mut() {
                let before = app.tokens.len();
                app.tokens.retain(|known| known.token != token);
                if app.tokens.len() < before {
                    return Ok(());
                }
            }
            Err(ControlError::UnknownToken)
        })
    }

    /// Says whether the app was updated since the token was made: until then the service does not know it.
    pub fn set_token_deployed(&self, tenant: &str, token: &str, deployed: bool) -> Result<(), ControlError> {
        self.change_token(tenant, token, |token| token.deployed = deployed)
    }

    /// Sets what a token permits.
    pub fn set_token_permissions(
        &self,
        tenant: &str,
        token: &str,
        permissions: Vec<Permission>,
    ) -> Result<(), ControlError> {
        self.change_token(tenant, token, |token| token.permissions = permissions)
    }

    /// Adds a token to an app.
    pub fn add_token(&self, tenant: &str, app: u64, token: ApiToken) -> Result<(), ControlError> {
        self.change(tenant, |tenant| {
            tenant.apps.get_mut(&app).ok_or(ControlError::UnknownApp(app))?.tokens.push(token);
            Ok(())
        })
    }

    /// Deletes a token of the User API; requests with it are refused with `CB_AU01`.
    pub fn revoke_user_api_token(&self, tenant: &str, token: &str) -> Result<(), ControlError> {
        self.change(tenant, |tenant| {
            let before = tenant.user_api_tokens.len();
            tenant.user_api_tokens.retain(|known| known.token != token);
            if tenant.user_api_tokens.len() < before { Ok(()) } else { Err(ControlError::UnknownToken) }
        })
    }

    /// Locks a user, unlocks one, lets a password expire, ….
    pub fn set_user_condition(
        &self,
        tenant: &str,
        code: &str,
        condition: UserCondition,
    ) -> Result<(), ControlError> {
        self.change_user(tenant, code, |user| {
            user.condition = condition;
            user.wrong_passwords = 0;
        })
    }

    /// Changes a user's password.
    pub fn set_password(&self, tenant: &str, code: &str, password: &str) -> Result<(), ControlError> {
        self.change_user(tenant, code, |user| user.password = Some(password.to_owned()))
    }

    /// Puts HTTP Basic in front of a tenant, or takes it away.
    pub fn set_basic_gate(&self, tenant: &str, gate: Option<BasicGate>) -> Result<(), ControlError> {
        self.change(tenant, |tenant| {
            tenant.basic_gate = gate;
            Ok(())
        })
    }

    /// Restricts a tenant to networks in CIDR form; an empty list opens it to all.
    pub fn set_allowed_networks(&self, tenant: &str, networks: Vec<String>) -> Result<(), ControlError> {
        self.change(tenant, |tenant| {
            tenant.allowed_networks = networks;
            Ok(())
        })
    }

    /// Adds an app, replacing one of the same number.
    pub fn add_app(&self, tenant: &str, app: &AppSeed) -> Result<(), ControlError> {
        let identifiers = &self.world.identifiers;
        self.change(tenant, |tenant| Ok(app.add_to(tenant, identifiers)?))
    }

    /// Adds records in the form of a seed; answers their ids. Nothing is added when one does not fit.
    pub fn add_records(
        &self,
        tenant: &str,
        app: u64,
        records: &[Map<String, Json>],
    ) -> Result<Vec<u64>, ControlError> {
        let identifiers = &self.world.identifiers;
        self.change(tenant, |tenant| {
            let mut changed = tenant.apps.get(&app).cloned().ok_or(ControlError::UnknownApp(app))?;
            let ids = records
                .iter()
                .map(|content| add_record(tenant, &mut changed, content, identifiers))
                .collect::<Result<_, _>>()?;
            tenant.apps.insert(app, changed);
            Ok(ids)
        })
    }

    fn change_token(
        &self,
        tenant: &str,
        token: &str,
        change: impl FnOnce(&mut ApiToken),
    ) -> Result<(), ControlError> {
        self.change(tenant, |tenant| {
            let mut tokens = tenant.apps.values_mut().flat_map(|app| app.tokens.iter_mut());
            change(tokens.find(|known| known.token == token).ok_or(ControlError::UnknownToken)?);
            Ok(())
        })
    }

    fn change_user(
        &self,
        tenant: &str,
        code: &str,
        change: impl FnOnce(&mut User),
    ) -> Result<(), ControlError> {
        self.change(tenant, |tenant| {
            let user = tenant.users.iter_mut().find(|user| user.code == code);
            change(user.ok_or_else(|| ControlError::UnknownUser(code.to_owned()))?);
            Ok(())
        })
    }

    fn change<T>(
        &self,
        tenant: &str,
        change: impl FnOnce(&mut Tenant) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        let slot = self.world.tenant(tenant).ok_or_else(|| ControlError::UnknownTenant(tenant.to_owned()))?;
        let mut locked = slot.write();
        change(&mut locked)
    }
}
