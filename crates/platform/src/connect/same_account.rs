//! Whether an account that is linked again is the one that was linked before, as far as that can be told: a person with
//! several accounts easily takes the wrong one, and everything that uses the connection would work on another account from
//! then on.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::ExposeSecret as _;
use tombolo_auth::Typed;
use tombolo_catalog::{AuthScheme, FieldError, FieldKind, Provider};
use tombolo_store::Connection;

use super::account::TypedAccount;
use crate::access::{Access, Scope};
use crate::connections::{place_of, texts};
use crate::platform::Platform;
use crate::problem::{Problem, field};

/// The code of a field that speaks for another account.
const CODE: &str = "other_account";

impl Platform {
    /// Refuses what speaks for another account than that of a connection, whose scheme and host need not stay.
    pub async fn refuse_other_account(
        &self,
        access: &Access,
        reference: &str,
        typed: &TypedAccount,
    ) -> Result<(), Problem> {
        access.require(Scope::UpdateConnection)?;
        let (connection, integration) = self.find_connection(&access.environment, None, reference).await?;
        let provider = self.provider_of(&integration)?;
        let scheme = typed.auth_scheme.as_deref().unwrap_or(&connection.target.auth_scheme);
        match provider.scheme(scheme) {
            Some(scheme) => self.require_same_account(&connection, &provider, scheme, &typed.fields).await,
            // What is wrong with it is told by what links it.
            None => Ok(()),
        }
    }

    /// Refuses what speaks for another account: another host, none of the things that were reached before, another login
    /// name. Whoever means another account says so.
    pub(super) async fn require_same_account(
        &self,
        before: &Connection,
        provider: &Provider,
        scheme: &AuthScheme,
        typed: &Typed,
    ) -> Result<(), Problem> {
        let stored = texts(&before.target.config);
        let mut faults = others_of_config(provider, &stored, typed);
        faults.extend(self.others_of_login(before, scheme, typed).await?);
        if faults.is_empty() { Ok(()) } else { Err(Problem::fields(faults)) }
    }

    /// What the auth scheme asks for beside its secrets, such as a login name, stands sealed beside them.
    async fn others_of_login(
        &self,
        before: &Connection,
        scheme: &AuthScheme,
        typed: &Typed,
    ) -> Result<Vec<FieldError>, Problem> {
        let names: Vec<&str> = scheme
            .fields
            .iter()
            .filter(|(name, field)| !field.secret && typed.contains_key(*name))
            .map(|(name, _)| name)
            .collect();
        let Some(sealed) = before.sealed.clone().filter(|_| before.target.auth_scheme == scheme.id) else {
            return Ok(Vec::new());
        };
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let opened = self.safe.stored(&self.store, place_of(before), sealed).await?.open()?;
        let differs = |name: &&str| {
            let given = typed.get(*name).map(|value| folded(value.expose_secret()));
            opened.value(name).is_some_and(|known| given != Some(folded(known)))
        };
        let en = "It was another one before. Tick the box below if you mean another account.";
        let ja =
            "以前と異なります。別のアカウントに変更する場合は、下のチェックボックスをオンにしてください。";
        Ok(names.into_iter().filter(differs).map(|name| field(name, CODE, en, ja)).collect())
    }
}

fn others_of_config(
    provider: &Provider,
    stored: &BTreeMap<String, String>,
    typed: &Typed,
) -> Vec<FieldError> {
    let of_host: BTreeSet<&str> = provider.base_url.config_names().collect();
    let differs = |name: &str, given: &str, before: &str| {
        let Some(known) = provider.config.get(name) else { return false };
        match known.kind {
            FieldKind::List => items(given).is_disjoint(&items(before)),
            _ => of_host.contains(name) && folded(given) != folded(before),
        }
    };
    let mut faults = Vec::new();
    for (name, given) in typed {
        let given = given.expose_secret();
        // The address of any page of the vendor's may stand there.
        let pasted = provider.read_pasted(given.trim()).unwrap_or_default();
        let given = pasted.get(name).map_or(given, String::as_str);
        if let Some(before) = stored.get(name).filter(|before| !before.is_empty())
            && !given.trim().is_empty()
            && differs(name, given, before)
        {
            let en = format!("It was “{before}” before. Tick the box below if you mean another account.");
            let ja = format!(
                "以前は「{before}」でした。別のアカウントに変更する場合は、下のチェックボックスをオンにしてください。"
            );
            faults.push(field(name, CODE, &en, &ja));
        }
    }
    faults
}

fn items(list: &str) -> BTreeSet<String> {
    list.split(',').map(folded).filter(|item| !item.is_empty()).collect()
}

/// As people write one thing in several ways.
fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}
