//! Environments: what keeps the connections of one customer, or of tests and production, apart.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tombolo_store::{
    Change, Environment, EnvironmentId, NewAuditEvent, NewEnvironment, Object, PutEnvironmentSettings,
    StoreError, is_environment_name,
};

use crate::access::{Access, Scope};
use crate::connect::{ConnectUi, ConnectUiChange};
use crate::jobs::Housekeeping;
use crate::oauth::way_back;
use crate::platform::{Platform, events};
use crate::problem::{Problem, field};

/// What stands where the pages of an environment have its name: `/connect/NAME`, `/dashboard/NAME`.
const RESERVED: [&str; 6] = ["session", "sessions", "telemetry", "users", "environment", "provider-requests"];

/// How often a change is tried beside those of others.
const ATTEMPTS: usize = 20;

/// What the administrators of an environment decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvironmentSettings {
    /// Whether somebody confirms whose account it is before an authorization becomes a connection. A link can be
    /// forwarded; without the confirmation, only the page before the vendor's stands between an attacker's link and a
    /// victim's account.
    pub confirm_authorizations: bool,
    /// The origins of the embedder's pages: what proves that a browser has finished an authorization is told to them alone.
    pub allowed_origins: Vec<String>,
    /// The addresses of the embedder's pages where a browser that has finished an authorization may be sent to.
    pub return_urls: Vec<String>,
    /// How the pages look on which somebody links an account.
    pub connect_ui: ConnectUi,
}

impl Default for EnvironmentSettings {
    fn default() -> Self {
        Self {
            confirm_authorizations: true,
            allowed_origins: Vec::new(),
            return_urls: Vec::new(),
            connect_ui: ConnectUi::default(),
        }
    }
}

/// What changes about an environment; `None` keeps what is there.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentChange {
    /// Whether authorizations are confirmed.
    pub confirm_authorizations: Option<bool>,
    /// All origins of the embedder's pages.
    pub allowed_origins: Option<Vec<String>>,
    /// All addresses where browsers may be sent to.
    pub return_urls: Option<Vec<String>>,
    /// How the pages look on which somebody links an account.
    pub connect_ui: ConnectUiChange,
}

impl Platform {
    /// The caller's environment and what its administrators decided.
    pub async fn read_environment(
        &self,
        access: &Access,
    ) -> Result<(Environment, EnvironmentSettings), Problem> {
        access.require(Scope::ManageEnvironment)?;
        let found = self.store.environment(&access.environment).await?;
        let environment = found.ok_or_else(gone)?;
        let settings = settings_of(&environment);
        Ok((environment, settings))
    }

    /// Changes what the administrators of the caller's environment decided. The audit trail says who did.
    pub async fn update_environment(
        &self,
        access: &Access,
        change: EnvironmentChange,
    ) -> Result<(Environment, EnvironmentSettings), Problem> {
        for _ in 1..ATTEMPTS {
            match self.try_update_environment(access, change.clone()).await {
                // Somebody else changed something meanwhile: that stays, with this beside it.
                Err(problem) if problem.code == "version_conflict" => {}
                outcome => return outcome,
            }
        }
        self.try_update_environment(access, change).await
    }

    async fn try_update_environment(
        &self,
        access: &Access,
        change: EnvironmentChange,
    ) -> Result<(Environment, EnvironmentSettings), Problem> {
        let (environment, mut settings) = self.read_environment(access).await?;
        if let Some(confirm) = change.confirm_authorizations {
            settings.confirm_authorizations = confirm;
        }
        let mut faults = Vec::new();
        if let Some(origins) = change.allowed_origins {
            faults.extend(way_back::faults_of_origins(&origins));
            settings.allowed_origins = origins;
        }
        if let Some(urls) = change.return_urls {
            faults.extend(way_back::faults_of_urls(&urls));
            settings.return_urls = urls;
        }
        faults.extend(settings.connect_ui.change(change.connect_ui));
        if !faults.is_empty() {
            return Err(Problem::fields(faults));
        }
        let object =
            Object { kind: "environment".into(), id: environment.id.to_string(), label: environment.name };
        let mut changes = vec![Change::PutEnvironmentSettings(PutEnvironmentSettings {
            environment_id: environment.id,
            expected: environment.settings,
            settings: json!(settings),
        })];
        changes.extend(events(access, "environment.updated", object, json!(settings), false));
        self.commit(&changes).await?;
        self.read_environment(access).await
    }

    /// How long what is kept, as the operator configured it; `None` in a process that does no background work.
    pub fn housekeeping(&self, access: &Access) -> Result<Option<Housekeeping>, Problem> {
        access.require(Scope::ManageEnvironment)?;
        Ok(self.housekeeping.get().copied())
    }

    /// The environment that the caller acts in.
    pub async fn environment_of(&self, access: &Access) -> Result<Environment, Problem> {
        self.store.environment(&access.environment).await?.ok_or_else(gone)
    }

    pub(crate) async fn environment_settings(
        &self,
        environment: &EnvironmentId,
    ) -> Result<EnvironmentSettings, Problem> {
        let found = self.store.environment(environment).await?;
        found.map(|environment| settings_of(&environment)).ok_or_else(gone)
    }

    /// Makes an environment with a data key of its own. The name has lower-case letters, digits, `_` and `-`.
    pub async fn create_environment(&self, access: &Access, name: &str) -> Result<Environment, Problem> {
        access.require(Scope::CreateEnvironment)?;
        if !is_environment_name(name) {
            let en = "Use 1 to 255 lower-case letters, digits, _ and -.";
            let ja = "英小文字・数字・「_」・「-」を使い、255文字以内で入力してください。";
            return Err(Problem::fields(vec![field("name", "pattern", en, ja)]));
        }
        if RESERVED.contains(&name) {
            let what = format!("`{name}` is the name of a path of ours");
            return Err(Problem::invalid("invalid_name", what, "Choose another name."));
        }
        let id = EnvironmentId::generate(self.now(), &*self.random).map_err(StoreError::from)?;
        let data_key = self.safe.first_data_key(&id)?;
        let object = Object { kind: "environment".into(), id: id.to_string(), label: name.to_owned() };
        let new = NewEnvironment { id, name: name.to_owned(), data_key };
        let event = NewAuditEvent {
            environment_id: None,
            actor: access.actor.clone(),
            action: "environment.created".to_owned(),
            object,
            detail: Json::Null,
        };
        self.commit(&[Change::InsertEnvironment(new), Change::Audit(event)]).await?;
        let made = self.store.environment_named(name).await?;
        made.ok_or_else(gone)
    }
}

fn settings_of(environment: &Environment) -> EnvironmentSettings {
    serde_json::from_value(environment.settings.clone()).unwrap_or_default()
}

fn gone() -> Problem {
    Problem::not_found("unknown_environment", "The environment is gone")
}
