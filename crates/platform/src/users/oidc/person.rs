//! What a provider says about a person, as far as it is looked at.

use serde_json::{Map, Value as Json};
use tombolo_store::{Identity, Role};

use super::settings::OidcSettings;
use crate::users::administration::{fault_of_name, faults_of_person};

const NAME_CHARACTERS_MAX: usize = 100;

/// A person, as the provider knows them.
pub(super) struct Person {
    pub(super) identity: Identity,
    /// Their mail address, if the provider vouches for it.
    pub(super) mail: Option<String>,
    /// Whether it named an address that it does not vouch for.
    pub(super) is_mail_doubtful: bool,
    claims: Map<String, Json>,
}

impl Person {
    /// The claims have a subject, which was looked at before.
    pub(super) fn new(settings: &OidcSettings, claims: Map<String, Json>) -> Self {
        let text = |name: &str| claims.get(name).and_then(Json::as_str).map(str::to_owned);
        let named = text("email").filter(|mail| is_address(mail));
        let is_verified = match claims.get("email_verified") {
            // Some providers write the word.
            Some(Json::Bool(is_verified)) => *is_verified,
            Some(Json::String(word)) => word == "true",
            Some(_) => false,
            None => settings.trust_mail,
        };
        Self {
            identity: Identity { issuer: settings.issuer.clone(), subject: text("sub").unwrap_or_default() },
            is_mail_doubtful: named.is_some() && !is_verified,
            mail: named.filter(|_| is_verified),
            claims,
        }
    }

    /// What they may do; `known` is what somebody may who is here already.
    pub(super) fn role(&self, settings: &OidcSettings, known: Option<Role>) -> Option<Role> {
        settings.roles.role(&self.claims, known)
    }

    /// What they are called in the list of people: their address if the provider vouches for it, else a name of the
    /// provider's that cannot be taken for one, since an account with somebody's address may be taken for theirs.
    pub(super) fn login(&self) -> String {
        let name = self.claims.get("preferred_username").and_then(Json::as_str);
        let name = name.filter(|name| !name.contains('@')).map(str::to_owned);
        let fits = |login: &String| faults_of_person(login, "").is_empty();
        let known = self.mail.clone().into_iter().chain(name).find(fits);
        known.unwrap_or_else(|| self.identity.subject.chars().filter(char::is_ascii_graphic).collect())
    }

    /// What others see.
    pub(super) fn display_name(&self) -> String {
        let name = self.claims.get("name").and_then(Json::as_str).unwrap_or_default();
        let visible = name.chars().filter(|character| !character.is_control());
        let name: String = visible.take(NAME_CHARACTERS_MAX).collect();
        let is_fit = !name.trim().is_empty() && fault_of_name(&name).is_none();
        if is_fit { name } else { self.login() }
    }

    /// How the trail of audit names them.
    pub(super) fn label(&self) -> String {
        let label = self.mail.as_deref().unwrap_or(&self.identity.subject);
        label.chars().filter(|character| !character.is_control()).take(200).collect()
    }
}

/// Addresses are compared with logins, so one that could be read in several ways is none.
fn is_address(mail: &str) -> bool {
    let parts: Vec<&str> = mail.split('@').collect();
    mail.len() <= 254
        && mail.chars().all(|character| character.is_ascii_graphic())
        && matches!(parts[..], [name, domain] if !name.is_empty() && !domain.is_empty())
}
