//! What stands around every page of the dashboard.

use tombolo_platform::Scope;

use super::visitor::Visitor;

/// The parts of the dashboard in the order of the navigation. Tables, SQL and syncs follow the catalog once they exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Home,
    Connections,
    Integrations,
    Catalog,
    Activity,
    Jobs,
    Webhooks,
    ApiKeys,
    Audit,
    Environments,
    Users,
    Settings,
    /// The own page of whoever is signed in, which stands in the menu with their name.
    Profile,
}

impl Section {
    const ALL: [Self; 12] = [
        Self::Home,
        Self::Connections,
        Self::Integrations,
        Self::Catalog,
        Self::Activity,
        Self::Jobs,
        Self::Webhooks,
        Self::ApiKeys,
        Self::Audit,
        Self::Environments,
        Self::Users,
        Self::Settings,
    ];

    /// The path below the environment, the key of its words, and what somebody has to be allowed to find it.
    const fn facts(self) -> (&'static str, &'static str, Option<Scope>) {
        match self {
            Self::Home => ("", "nav-home", None),
            Self::Connections => ("connections", "nav-connections", Some(Scope::ListConnections)),
            Self::Integrations => ("integrations", "nav-integrations", Some(Scope::ListIntegrations)),
            Self::Catalog => ("catalog", "nav-catalog", Some(Scope::ListIntegrations)),
            Self::Activity => ("activity", "nav-activity", Some(Scope::ReadActivity)),
            Self::Jobs => ("jobs", "nav-jobs", Some(Scope::ReadJobs)),
            Self::Webhooks => ("webhooks", "nav-webhooks", Some(Scope::ReadWebhooks)),
            Self::ApiKeys => ("api-keys", "nav-api-keys", Some(Scope::ManageApiKeys)),
            Self::Audit => ("audit", "nav-audit", Some(Scope::ReadAudit)),
            Self::Environments => ("environments", "nav-environments", Some(Scope::CreateEnvironment)),
            Self::Users => ("users", "nav-users", Some(Scope::ReadUsers)),
            // Everybody chooses how pages look to them.
            Self::Settings => ("settings", "nav-settings", None),
            Self::Profile => ("profile", "profile", None),
        }
    }
}

/// What stands around a page.
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) environment: String,
    pub(crate) environments: Vec<String>,
    pub(crate) user: String,
    pub(crate) role: String,
    pub(crate) form_token: String,
    pub(crate) navigation: Vec<Entry>,
    /// What was just done; empty for nothing.
    pub(crate) done: String,
    base: String,
}

/// A line of the navigation.
pub(crate) struct Entry {
    pub(crate) address: String,
    pub(crate) text: String,
    /// Its picture in `icons.svg`.
    pub(crate) icon: &'static str,
    pub(crate) is_current: bool,
    /// Whether some room is left before it.
    pub(crate) begins_group: bool,
}

impl Frame {
    pub(super) fn new(visitor: &Visitor, section: Section, title: String) -> Self {
        let shell = &visitor.shell;
        let shown = Section::ALL.into_iter();
        let entries = shown.filter_map(|known| {
            let (path, words, scope) = known.facts();
            let is_shown = scope.is_none_or(|scope| visitor.may(scope));
            let address = match known {
                // People belong to the installation, not to an environment.
                Section::Users => shell.to("/dashboard/users"),
                _ => visitor.to(path),
            };
            is_shown.then(|| Entry {
                address,
                text: shell.say(words),
                icon: words.trim_start_matches("nav-"),
                is_current: known == section,
                begins_group: matches!(known, Section::Connections | Section::Activity | Section::ApiKeys),
            })
        });
        Self {
            title,
            environment: visitor.signed_in.environment.name.clone(),
            environments: visitor.environments.clone(),
            user: visitor.signed_in.who.user.display_name.clone(),
            role: shell.say(&format!("role-{}", visitor.signed_in.role())),
            form_token: visitor.signed_in.form_token().to_owned(),
            navigation: entries.collect(),
            done: done(visitor),
            base: visitor.to(""),
        }
    }

    /// The letter that stands for the user.
    pub(crate) fn initial(&self) -> String {
        self.user.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default()
    }

    /// The address of a page in the environment.
    pub(crate) fn to(&self, path: &str) -> String {
        if path.is_empty() { self.base.clone() } else { format!("{}/{path}", self.base) }
    }
}

/// What a page says after something was done; the address names it, and only what is in this list is said.
fn done(visitor: &Visitor) -> String {
    const KNOWN: [&str; 14] = [
        "saved",
        "created",
        "linked-again",
        "deleted",
        "tested",
        "revoked",
        "refused",
        "retried",
        "asked",
        "cancelled",
        "enabled",
        "disabled",
        "test-sent",
        "replayed",
    ];
    let named = visitor.parameter("done");
    if KNOWN.contains(&named.as_str()) { visitor.shell.say(&format!("done-{named}")) } else { String::new() }
}
