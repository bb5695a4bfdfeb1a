//! What the operator says about the identity provider.

use std::collections::BTreeSet;

use secrecy::SecretString;
use serde_json::{Map, Value as Json};
use tombolo_store::Role;
use url::Url;

/// The operator's identity provider, and whom it lets in.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// What the provider calls itself, character by character.
    pub issuer: String,
    /// The client that is registered there.
    pub client_id: String,
    /// Its secret; `None` for a client that has none.
    pub client_secret: Option<SecretString>,
    /// What buttons call the provider; the host of the issuer when empty.
    pub name: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Who may do what.
    pub roles: RoleRules,
    /// The domains of mail addresses that are let in; empty for all.
    pub allowed_domains: Vec<String>,
    /// Whether an address counts as verified that the provider says nothing about.
    pub trust_mail: bool,
    /// Whether people may also sign in with a password.
    pub password_sign_in: bool,
}

/// Who may do what, as the provider's claims decide it.
#[derive(Debug, Clone, Default)]
pub struct RoleRules {
    /// The claim that decides, or the way to it, such as `realm_access.roles`.
    pub claim: Option<String>,
    /// The values of an administrator.
    pub admins: Vec<String>,
    /// The values of a member.
    pub members: Vec<String>,
    /// The values of a viewer.
    pub viewers: Vec<String>,
    /// The role of whom nothing else gives one; `None` lets nobody in for that.
    pub default: Option<Role>,
}

impl OidcSettings {
    /// What is wrong with the settings, in a sentence.
    pub(crate) fn fault(&self) -> Option<String> {
        let url = Url::parse(&self.issuer).ok();
        let is_address = url.is_some_and(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.username().is_empty()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if !is_address {
            return Some("`issuer` is no address such as https://login.example.com".to_owned());
        }
        if self.client_id.is_empty() {
            return Some("`client_id` is missing: register a client at the provider".to_owned());
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return Some("`scopes` needs `openid`".to_owned());
        }
        self.roles.fault()
    }

    /// What people read on the button.
    pub(super) fn shown_name(&self) -> String {
        if !self.name.trim().is_empty() {
            return self.name.trim().to_owned();
        }
        let host = Url::parse(&self.issuer).ok().and_then(|url| url.host_str().map(str::to_owned));
        host.unwrap_or_else(|| self.issuer.clone())
    }

    /// Whether addresses of the domain are let in. Both are compared without regard to case.
    pub(super) fn lets_in(&self, mail: &str) -> bool {
        let domain = mail.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.allowed_domains.is_empty()
            || self.allowed_domains.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain))
    }
}

impl RoleRules {
    fn fault(&self) -> Option<String> {
        let has_values = [&self.admins, &self.members, &self.viewers].iter().any(|values| !values.is_empty());
        if self.claim.is_some() == has_values {
            return None;
        }
        let told = "`role_claim` and the values in `admins`, `members` or `viewers` belong together: set both or none";
        Some(told.to_owned())
    }

    /// The highest role that the claims give. `known` is what somebody has who was invited, or signed in before: it counts
    /// where no claim decides.
    pub(super) fn role(&self, claims: &Map<String, Json>, known: Option<Role>) -> Option<Role> {
        let Some(claim) = &self.claim else { return known.or(self.default) };
        let values = values(claims, claim);
        let has = |wanted: &[String]| wanted.iter().any(|value| values.contains(value.as_str()));
        let by_claim =
            [(&self.admins, Role::Admin), (&self.members, Role::Member), (&self.viewers, Role::Viewer)];
        by_claim.into_iter().find(|(wanted, _)| has(wanted)).map(|(_, role)| role).or(self.default)
    }

    /// Whether a set of claims has the one that decides.
    pub(super) fn is_decided_by(&self, claims: &Map<String, Json>) -> bool {
        self.claim.as_ref().is_none_or(|claim| !values(claims, claim).is_empty())
    }
}

/// The texts of a claim: one, or a list of them. A name with dots is looked for as it stands, and then as a way.
fn values<'a>(claims: &'a Map<String, Json>, claim: &str) -> BTreeSet<&'a str> {
    let found = claims.get(claim).or_else(|| {
        let mut steps = claim.split('.');
        let first = claims.get(steps.next()?)?;
        steps.try_fold(first, |value, step| value.get(step))
    });
    match found {
        Some(Json::String(text)) => BTreeSet::from([text.as_str()]),
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_highest_role_counts_that_the_claims_give() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let rules = |claim: &str, default| RoleRules {
            claim: Some(claim.to_owned()),
            admins: texts(&["ops"]),
            members: texts(&["sales", "support"]),
            viewers: texts(&["audit"]),
            default,
        };
        let (admin, member, viewer) = (Some(Role::Admin), Some(Role::Member), Some(Role::Viewer));
        for (claims, rules, known, expected) in [
            (json!({ "groups": ["support", "ops"] }), rules("groups", None), None, admin),
            (json!({ "groups": "sales" }), rules("groups", None), viewer, member),
            (json!({ "groups": ["other", 7, null] }), rules("groups", None), admin, None),
            (json!({ "groups": ["other"] }), rules("groups", viewer), admin, viewer),
            (json!({}), rules("groups", None), admin, None),
            (json!({ "groups": { "ops": true } }), rules("groups", None), None, None),
            (json!({ "groups": ["OPS"] }), rules("groups", None), None, None),
            (
                json!({ "realm_access": { "roles": ["audit"] } }),
                rules("realm_access.roles", None),
                None,
                viewer,
            ),
            (
                json!({ "https://a.example/roles": ["ops"] }),
                rules("https://a.example/roles", None),
                None,
                admin,
            ),
            (json!({ "groups": ["ops"] }), RoleRules::default(), member, member),
            (json!({ "groups": ["ops"] }), RoleRules::default(), None, None),
            (json!({}), RoleRules { default: viewer, ..RoleRules::default() }, None, viewer),
        ] {
            let found = rules.role(claims.as_object().expect("an object"), known);
            assert_eq!(found, expected, "{claims}");
        }
    }

    #[test]
    fn settings_that_cannot_be_meant_are_told() {
        let settings = OidcSettings {
            issuer: "https://login.example.com".to_owned(),
            client_id: "tombolo".to_owned(),
            client_secret: Some("canary-oidc-secret".into()),
            name: String::new(),
            scopes: vec!["openid".to_owned()],
            roles: RoleRules::default(),
            allowed_domains: vec!["Example.com".to_owned()],
            trust_mail: false,
            password_sign_in: true,
        };
        assert_eq!((settings.fault(), settings.shown_name().as_str()), (None, "login.example.com"));
        assert!(!format!("{settings:?}").contains("canary"));
        let claim = RoleRules { claim: Some("groups".to_owned()), ..RoleRules::default() };
        let values = RoleRules { admins: vec!["ops".to_owned()], ..RoleRules::default() };
        for (changed, told) in [
            (OidcSettings { issuer: "login.example.com".to_owned(), ..settings.clone() }, "issuer"),
            (OidcSettings { issuer: "https://a.example/?b".to_owned(), ..settings.clone() }, "issuer"),
            (OidcSettings { issuer: "https://anna@a.example".to_owned(), ..settings.clone() }, "issuer"),
            (OidcSettings { client_id: String::new(), ..settings.clone() }, "client_id"),
            (OidcSettings { scopes: vec!["email".to_owned()], ..settings.clone() }, "openid"),
            (OidcSettings { roles: claim, ..settings.clone() }, "role_claim"),
            (OidcSettings { roles: values, ..settings.clone() }, "role_claim"),
        ] {
            assert!(changed.fault().is_some_and(|fault| fault.contains(told)), "{told}");
        }
        for (mail, expected) in [
            ("anna@example.com", true),
            ("anna@EXAMPLE.COM", true),
            ("anna@evil-example.com", false),
            ("anna@sub.example.com", false),
            ("anna@example.com@evil.example", false),
            ("example.com", false),
        ] {
            assert_eq!(settings.lets_in(mail), expected, "{mail}");
        }
    }
}
