//! Secrets that are handed over for the account of a session before it is linked: what opens a gate in front of an API, for
//! an account that a person links in a window. They never stand in an address, and wait sealed.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde_json::json;
use tombolo_auth::{Credentials, CredentialsBuilder, Typed};
use tombolo_catalog::{AuthScheme, FieldError, Provider};
use tombolo_store::{Change, ConnectSessionId, ConnectSessionSecrets, Connection, Object};
use tombolo_vault::{HostSet, Sealed};

use super::form::{Chosen, named};
use super::session::{ConnectSessionDraft, SessionAccess};
use crate::access::Access;
use crate::connections::texts;
use crate::credentials::{Place, Purpose};
use crate::platform::{Platform, events};
use crate::problem::{Problem, field};

/// What begins the names of those that the embedder handed over, and of those that came from the browser.
const OF_EMBEDDER: &str = "embedder";
const OF_BROWSER: &str = "browser";

/// What waits for the account of an integration.
#[derive(Default)]
pub(super) struct Held {
    of_embedder: Typed,
    of_browser: Typed,
}

impl Held {
    /// Adds what waits to what was typed. What the embedder handed over stands above everything else.
    pub(super) fn add_to(self, typed: &mut Typed) {
        for (name, value) in self.of_browser {
            typed.entry(name).or_insert(value);
        }
        typed.extend(self.of_embedder);
    }

    /// The names of what waits.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.of_browser.keys().chain(self.of_embedder.keys()).map(String::as_str)
    }

    /// Refuses a host that the browser chose for what the embedder handed over, where any host will do. `fields` is what
    /// came out of the browser's and the embedder's, and `again` the connection that is linked again.
    pub(super) fn refuse_host_of_browser(
        &self,
        provider: &Provider,
        scheme: &AuthScheme,
        fields: &BTreeMap<String, String>,
        defaults: &BTreeMap<String, String>,
        again: Option<&Connection>,
    ) -> Result<(), Problem> {
        if self.of_embedder.is_empty() {
            return Ok(());
        }
        let filled = named(provider, scheme, defaults.clone());
        let stored = again.map(|connection| texts(&connection.target.config)).unwrap_or_default();
        let urls = scheme.token_urls().into_iter().chain([&provider.base_url]);
        let is_of_browser = |name: &&str| {
            let given = fields.get(*name);
            given.is_some() && !filled.contains_key(*name) && stored.get(*name) != given
        };
        let Some(name) = provider.open_host_names(urls).into_iter().find(is_of_browser) else {
            return Ok(());
        };
        let what = format!(
            "`{name}` decides where secrets go that the back end handed over, so a browser does not choose it"
        );
        let fix = "Have the back end fill it in beside the secrets as it makes the session.";
        Err(Problem::invalid("host_not_allowed", what, fix))
    }
}

impl Platform {
    /// Keeps secrets that a browser hands over for the account of an integration, in the place of those that it handed over
    /// before. What is wrong with them is told at once, as far as it can be.
    pub async fn hand_over(
        self: &Arc<Self>,
        holder: &SessionAccess,
        key: &str,
        fields: Typed,
    ) -> Result<(), Problem> {
        holder.require(key)?;
        let chosen = self.chosen_in(holder, key).await?;
        let provider = &chosen.provider;
        let (mut waiting, mut unknown) = (Typed::new(), Vec::new());
        for (name, value) in fields {
            match waits_as(&chosen, &name) {
                Some(name) => drop(waiting.insert(name, value)),
                None => unknown.push(never_waits(&name)),
            }
        }
        let fields = waiting;
        if !unknown.is_empty() {
            return Err(Problem::fields(unknown));
        }
        let names: Vec<String> = fields.keys().cloned().collect();
        let scheme = chosen.scheme_with_person().ok().or(provider.auth.first());
        if let Some(scheme) = scheme
            && let Err(mut faults) = self.read_form(provider, scheme, fields.clone()).await?
        {
            faults.retain(|fault| names.contains(&fault.field) && fault.code != "unknown_field");
            if !faults.is_empty() {
                return Err(Problem::fields(faults));
            }
        }
        let known = self.opened(holder).await?;
        let prefix = format!("{OF_BROWSER}/");
        let kept = known.iter().flat_map(Credentials::values).filter(|(name, _)| !name.starts_with(&prefix));
        let all = kept.fold(CredentialsBuilder::new(), |all, (name, value)| all.value(name, value));
        let all = fields.iter().fold(all, |all, (name, value)| {
            all.value(&format!("{OF_BROWSER}/{key}/{name}"), value.expose_secret())
        });
        let session = &holder.session;
        let place = place(&holder.access, &session.id, session.sealed_version + 1);
        let sealed = self.safe.seal(&self.store, place, &all.build()).await?.sealed;
        let secrets = ConnectSessionSecrets {
            environment_id: session.environment_id.clone(),
            id: session.id.clone(),
            sealed,
            expected_version: session.sealed_version,
        };
        let id = session.id.to_string();
        let object = Object { kind: "connect_session".into(), label: id.clone(), id };
        let detail = json!({ "integration": key, "fields": names });
        let mut changes = vec![Change::SealConnectSession(secrets)];
        changes.extend(events(&holder.access, "connect_session.fields_handed_over", object, detail, false));
        self.commit(&changes).await.map(drop)
    }

    /// Takes what is secret out of what an embedder filled in, and seals it.
    pub(super) async fn seal_defaults(
        &self,
        access: &Access,
        id: &ConnectSessionId,
        draft: &mut ConnectSessionDraft,
    ) -> Result<Option<Sealed>, Problem> {
        let mut all = None;
        for (key, defaults) in &mut draft.defaults {
            let chosen = self.chosen(access, key).await?;
            for (name, value) in std::mem::take(&mut defaults.fields) {
                let Some(name) = waits_as(&chosen, &name) else {
                    defaults.fields.insert(name, value);
                    continue;
                };
                let built = all.take().unwrap_or_else(CredentialsBuilder::new);
                all = Some(built.value(&format!("{OF_EMBEDDER}/{key}/{name}"), &value));
            }
        }
        let Some(all) = all else { return Ok(None) };
        let sealed = self.safe.seal(&self.store, place(access, id, 1), &all.build()).await?;
        Ok(Some(sealed.sealed))
    }

    /// What waits for the account of an integration.
    pub(super) async fn held(&self, holder: &SessionAccess, key: &str) -> Result<Held, Problem> {
        let mut held = Held::default();
        let opened = self.opened(holder).await?;
        for (name, value) in opened.iter().flat_map(Credentials::values) {
            let mut parts = name.splitn(3, '/');
            let (whose, of, name) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
            if of != Some(key) {
                continue;
            }
            let all = if whose == Some(OF_EMBEDDER) { &mut held.of_embedder } else { &mut held.of_browser };
            all.insert(name.to_owned(), value.into());
        }
        Ok(held)
    }

    async fn opened(&self, holder: &SessionAccess) -> Result<Option<Credentials>, Problem> {
        let session = &holder.session;
        let Some(sealed) = session.sealed.clone() else { return Ok(None) };
        let place = place(&holder.access, &session.id, session.sealed_version);
        Ok(Some(self.safe.stored(&self.store, place, sealed).await?.open()?))
    }
}

/// Refuses secrets among what stands in the address of a request: addresses are kept by browsers, and in many a log.
pub(super) fn refuse_secrets(
    provider: &Provider,
    scheme: &AuthScheme,
    config: &BTreeMap<String, String>,
) -> Result<(), Problem> {
    let is_secret = |name: &str| {
        let of_gates = provider.gates.iter().find_map(|gate| gate.fields.get(name));
        let of_scheme = scheme.fields.get(name);
        of_gates.or(of_scheme).is_some_and(|field| field.secret) && provider.config.get(name).is_none()
    };
    match config.keys().find(|name| is_secret(&provider.config_named(scheme, name))) {
        None => Ok(()),
        Some(name) => {
            let what = format!("`{name}` is a secret, which does not travel in a URL");
            let fix = "Hand it over with `PUT /connect/session/fields/{key}` first, in the session's name.";
            Err(Problem::invalid("invalid_query_params", what, fix))
        }
    }
}

/// The field that waits in a session for what was handed over, whichever of its names it came under; `None` for what does
/// not wait.
fn waits_as(chosen: &Chosen, name: &str) -> Option<String> {
    let provider = &chosen.provider;
    let translated = chosen.allowed().map(|scheme| provider.config_named(scheme, name));
    std::iter::once(name.to_owned()).chain(translated).find(|name| may_wait(provider, name))
}

/// Whether a field can wait in a session: all of a gate's, and every secret.
fn may_wait(provider: &Provider, name: &str) -> bool {
    let of_gate = provider.gates.iter().any(|gate| gate.fields.get(name).is_some());
    let is_secret =
        provider.auth.iter().any(|scheme| scheme.fields.get(name).is_some_and(|field| field.secret));
    (of_gate || is_secret) && provider.config.get(name).is_none()
}

fn never_waits(name: &str) -> FieldError {
    let name: String = name.chars().take(80).collect();
    let en = "It is no secret of this provider; send it as you link the account.";
    field(&name, "unknown_field", en, "この連携の秘密情報ではありません。接続するときに送ってください。")
}

fn place(access: &Access, id: &ConnectSessionId, version: u64) -> Place {
    Place {
        environment: access.environment.clone(),
        purpose: Purpose::ConnectSession,
        object: id.to_string(),
        version,
        // Where it goes is decided with the rest of the account, and then it is sealed anew for that.
        hosts: HostSet::default(),
    }
}
