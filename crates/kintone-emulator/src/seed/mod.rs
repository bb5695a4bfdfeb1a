//! What the tenants hold at the start, as a JSON document.

mod app;
mod value;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identifiers::Identifiers;
use crate::model::{
    BasicGate, FieldError, Group, MAXIMUM_OAUTH_CLIENTS, OAuthClient, Organization, Space, Tenant, User,
    UserApiToken,
};

pub(crate) use app::add_record;
pub use app::{AppSeed, GeneratedSeed};
pub(crate) use value::values;

/// The tenants at the start. Unknown members are refused, so that a misspelt one is not ignored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The tenants.
    pub tenants: Vec<TenantSeed>,
}

/// One tenant at the start.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSeed {
    /// Name in `/t/{name}` paths.
    pub name: String,
    /// Host names, for example `demo.kintone.com`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// HTTP Basic in front, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_gate: Option<BasicGate>,
    /// Networks in CIDR form from which requests are accepted; empty for everywhere.
    #[serde(default)]
    pub allowed_networks: Vec<String>,
    /// Whether a user may log in with the client certificate of somebody else.
    #[serde(default)]
    pub allows_certificate_of_another_user: bool,
    /// Users.
    #[serde(default)]
    pub users: Vec<User>,
    /// Organizations.
    #[serde(default)]
    pub organizations: Vec<Organization>,
    /// Groups.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// Spaces.
    #[serde(default)]
    pub spaces: Vec<Space>,
    /// Tokens of the User API.
    #[serde(default)]
    pub user_api_tokens: Vec<UserApiToken>,
    /// OAuth clients.
    #[serde(default)]
    pub oauth_clients: Vec<OAuthClient>,
    /// Apps. One that others look up stands before them.
    #[serde(default)]
    pub apps: Vec<AppSeed>,
}

/// A seed that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The document is not JSON, or not a seed.
    #[error("the seed cannot be read: {0}; correct the document at the place named")]
    Document(#[from] serde_json::Error),
    /// A field definition is not valid.
    #[error("app {app} of tenant `{tenant}`: {error}")]
    Field {
        /// Name of the tenant.
        tenant: String,
        /// Number of the app.
        app: u64,
        /// What is wrong.
        error: FieldError,
    },
    /// A record does not fit its form.
    #[error("record {record} of app {app} of tenant `{tenant}`: {reason}")]
    Record {
        /// Name of the tenant.
        tenant: String,
        /// Number of the app.
        app: u64,
        /// Number of the record.
        record: u64,
        /// What is wrong.
        reason: String,
    },
    /// Two tenants share a name.
    #[error("two tenants are named `{0}`; give each its own name")]
    DuplicateTenant(String),
    /// A tenant has more OAuth clients than it may.
    #[error(
        "tenant `{0}` has more than {MAXIMUM_OAUTH_CLIENTS} OAuth clients; remove those that are not used"
    )]
    TooManyOAuthClients(String),
}

/// The built-in seed.
const DEMO: &str = include_str!("../../seeds/demo.json");

impl Seed {
    /// The built-in seed: `demo` with English apps and tokens, `sample` with Japanese apps, password users, the
    /// Basic gate and a guest space. Every secret in it is a marker made for tests.
    pub fn demo() -> Self {
        Self::from_json(DEMO).expect("a test reads the built-in seed")
    }

    /// Reads a seed.
    pub fn from_json(text: &str) -> Result<Self, SeedError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Lets every OAuth client of the seed answer to this address too.
    #[must_use]
    pub fn with_redirect_uri(mut self, redirect_uri: &str) -> Self {
        for client in self.tenants.iter_mut().flat_map(|tenant| &mut tenant.oauth_clients) {
            client.redirect_uris.push(redirect_uri.to_owned());
        }
        self
    }

    /// Builds the tenants.
    pub(crate) fn tenants(&self, identifiers: &Identifiers) -> Result<Vec<Tenant>, SeedError> {
        let mut tenants: Vec<Tenant> = Vec::with_capacity(self.tenants.len());
        for seed in &self.tenants {
            if tenants.iter().any(|other| other.name == seed.name) {
                return Err(SeedError::DuplicateTenant(seed.name.clone()));
            }
            tenants.push(seed.tenant(identifiers)?);
        }
        Ok(tenants)
    }
}

impl TenantSeed {
    fn tenant(&self, identifiers: &Identifiers) -> Result<Tenant, SeedError> {
        if self.oauth_clients.len() > MAXIMUM_OAUTH_CLIENTS {
            return Err(SeedError::TooManyOAuthClients(self.name.clone()));
        }
        let mut tenant = Tenant {
            name: self.name.clone(),
            hosts: self.hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            users: self.users.clone(),
            organizations: self.organizations.clone(),
            groups: self.groups.clone(),
            spaces: self.spaces.clone(),
            user_api_tokens: self.user_api_tokens.clone(),
            oauth_clients: self.oauth_clients.clone(),
            basic_gate: self.basic_gate.clone(),
            allowed_networks: self.allowed_networks.clone(),
            allows_certificate_of_another_user: self.allows_certificate_of_another_user,
            ..Tenant::default()
        };
        for app in &self.apps {
            app.add_to(&mut tenant, identifiers)?;
        }
        Ok(tenant)
    }
}

/// When everything in a seed was made, unless it says otherwise: 2025-04-01.
pub(crate) fn first_instant() -> Timestamp {
    Timestamp::from_second(1_743_465_600).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_seed_builds_two_tenants() {
        let tenants = Seed::from_json(DEMO).unwrap().tenants(&Identifiers::default()).unwrap();
        let names: Vec<&str> = tenants.iter().map(|tenant| tenant.name.as_str()).collect();
        assert_eq!(names, ["demo", "sample"]);
        for tenant in &tenants {
            for app in tenant.apps.values() {
                assert!(!app.records.is_empty(), "app {} of {} has records", app.name, tenant.name);
            }
        }
    }

    #[test]
    fn misspelt_members_are_refused() {
        let error = Seed::from_json(r#"{"tenants": [{"name": "x", "usrs": []}]}"#).unwrap_err();
        assert!(error.to_string().contains("usrs"), "{error}");
    }

    #[test]
    fn two_tenants_of_one_name_are_refused() {
        let seed = Seed::from_json(r#"{"tenants": [{"name": "x"}, {"name": "x"}]}"#).unwrap();
        assert!(matches!(seed.tenants(&Identifiers::default()), Err(SeedError::DuplicateTenant(_))));
    }
}
