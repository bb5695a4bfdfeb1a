//! OAuth clients in a connect session: those that somebody may choose from, and those that they register themselves.
//!
//! Whoever holds a session is trusted less than an administrator, so what the embedder allows is narrow. A client that is
//! made here belongs to the organization of the person, or to the person alone when there is none: nobody else sees it, it
//! is never used by itself, and it is good for the one address that it was registered for. Clients of administrators can be
//! chosen and are never changed here: with another id in one of them, everybody else would agree to somebody else's
//! application. Nothing is deleted here, since connections need what they were linked through.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tombolo_catalog::{AuthScheme, FieldError, Provider};
use tombolo_store::{ClientOwner, EndUser, OAuthClient};

use super::account::LinkChoice;
use super::form::Chosen;
use super::session::SessionAccess;
use crate::access::{Access, Scope};
use crate::connections::texts;
use crate::oauth::{ClientOrigin, OAuthClientChange, OAuthClientDraft, config_names_of_client};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind, field};

/// Most clients that one owner has.
const CLIENTS_MAX: u64 = 20;
/// Longest name, id and secret of a client, in characters.
const NAME_MAX: usize = 200;
const VALUE_MAX: usize = 1_000;

/// What a connect session lets somebody do with OAuth clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OAuthClientRight {
    /// Nothing: the integration's client is used, or the only one of the administrators that fits.
    #[default]
    None,
    /// Choose among those of the administrators and those of the person's own organization.
    Choose,
    /// Besides, register new ones for that organization, and change those.
    Manage,
}

/// An OAuth client that somebody may choose.
pub struct ClientChoice {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it is registered; nothing when it is good for every account.
    pub config: BTreeMap<String, String>,
    /// Whether it was made in a session of the same owner.
    pub is_own: bool,
    /// Whether it has its id of the vendor, without which nobody is sent there.
    pub is_finished: bool,
    /// Whether it is the one that is meant when nobody chooses.
    pub is_preferred: bool,
}

/// What a page shows to somebody who registers a client, or changes one.
pub struct ClientForm {
    /// The integration.
    pub choice: LinkChoice,
    /// The auth scheme.
    pub auth_scheme: String,
    /// The client that is changed; `None` for a new one.
    pub client: Option<OwnClient>,
    /// The last part of the redirect URI.
    pub callback: String,
    /// The fields that say where it is registered, by name.
    pub fields: Vec<String>,
    /// Those of them that the embedder filled in. Nobody but the embedder changes them.
    pub filled_in: BTreeMap<String, String>,
    /// What it would be called if nobody chose.
    pub suggested_name: String,
}

/// A client of somebody's own, without its secret.
pub struct OwnClient {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its id at the vendor; empty until it has one.
    pub client_id: String,
    /// Whether there is a secret.
    pub has_secret: bool,
    /// Where it is registered.
    pub config: BTreeMap<String, String>,
    /// The scopes that are asked for; those of the provider's file when empty.
    pub scopes: Vec<String>,
}

/// What somebody typed about a client.
#[derive(Default)]
pub struct TypedClient {
    /// The id of the client that is changed; `None` for a new one.
    pub id: Option<String>,
    /// The last part of the redirect URI that they were shown.
    pub callback: String,
    /// What people are to call it; stays, or is made up, when empty.
    pub name: String,
    /// Its id at the vendor; stays, or may come later, when empty.
    pub client_id: String,
    /// Its secret; the one that is there stays when absent.
    pub client_secret: Option<SecretString>,
    /// Where it is registered, for a new one.
    pub config: BTreeMap<String, String>,
    /// The scopes that are asked for, when they were asked about.
    pub scopes: Option<Vec<String>>,
}

impl OAuthClientRight {
    /// Whether somebody may give this right: nobody hands on what they may not do themselves, and what is made in a session
    /// has to belong to somebody.
    pub(super) fn require_of(self, access: &Access, user: Option<&EndUser>) -> Result<(), Problem> {
        match self {
            Self::None => Ok(()),
            Self::Choose => access.require(Scope::ListIntegrations),
            Self::Manage => {
                access.require(Scope::CreateIntegration)?;
                access.require(Scope::UpdateIntegration)?;
                if user.is_some() {
                    return Ok(());
                }
                let en = "Say with `end_user` whose OAuth clients these are.";
                let ja = "「end_user」で、OAuthクライアントの持ち主を指定してください。";
                Err(Problem::fields(vec![field("oauth_clients", "custom", en, ja)]))
            }
        }
    }
}

/// Whose clients those are that are made in the sessions of a person.
pub(super) fn owner_of(user: Option<&EndUser>) -> Option<ClientOwner> {
    let user = user?;
    Some(match &user.organization {
        Some(organization) => ClientOwner::Organization(organization.id.clone()),
        None => ClientOwner::EndUser(user.id.clone()),
    })
}

impl SessionAccess {
    /// Whether somebody may register clients of their own.
    pub fn may_manage_clients(&self) -> bool {
        self.managing.is_some() && self.owner.is_some()
    }

    fn managing(&self) -> Result<(&Access, &ClientOwner), Problem> {
        self.managing.as_ref().zip(self.owner.as_ref()).ok_or_else(not_allowed)
    }

    /// The last parts of redirect URIs of clients that are made in the session, in their order. They are known before there
    /// is a client, so that it can be registered with the vendor first, and nobody without the token can tell them.
    fn callbacks(&self) -> impl Iterator<Item = String> {
        (0..CLIENTS_MAX).map(|number| {
            let text = [&self.callback_seed[..], &number.to_be_bytes()].concat();
            URL_SAFE_NO_PAD.encode(digest(&SHA256, &text))
        })
    }
}

impl Platform {
    /// The OAuth clients of an auth scheme that the holder of a session may choose from: those that agree with what the
    /// embedder filled in. None where the session gives no right to choose.
    pub(super) async fn client_choices(
        &self,
        holder: &SessionAccess,
        chosen: &Chosen,
        scheme: &AuthScheme,
    ) -> Result<Vec<ClientChoice>, Problem> {
        if holder.draft.oauth_clients == OAuthClientRight::None || !scheme.needs_browser() {
            return Ok(Vec::new());
        }
        let clients = self.clients_within_reach(holder, chosen, scheme).await?;
        let before = self.connection_of_session(holder, chosen).await?;
        let of_connection = before.and_then(|connection| connection.target.oauth_client);
        let of_integration = chosen.integration.as_ref().and_then(|known| known.oauth_client.clone());
        let is_usable = |client: &&OAuthClient| !client.client_id.is_empty();
        let the_only = |all: &[&OAuthClient]| match all {
            [only] => Some(only.id.clone()),
            _ => None,
        };
        let own: Vec<&OAuthClient> =
            clients.iter().filter(is_usable).filter(|client| client.owner.is_some()).collect();
        let all: Vec<&OAuthClient> = clients.iter().filter(is_usable).collect();
        // Where somebody has a client of their own, it is for their address; that of the integration may be for another.
        let preferred =
            of_connection.or_else(|| the_only(&own)).or(of_integration).or_else(|| the_only(&all));
        let choices = clients.iter().map(|client| ClientChoice {
            id: client.id.to_string(),
            name: client.name.clone(),
            config: texts(&client.config),
            is_own: client.owner.is_some(),
            is_finished: !client.client_id.is_empty(),
            is_preferred: preferred.as_ref() == Some(&client.id),
        });
        Ok(choices.collect())
    }

    async fn clients_within_reach(
        &self,
        holder: &SessionAccess,
        chosen: &Chosen,
        scheme: &AuthScheme,
    ) -> Result<Vec<OAuthClient>, Problem> {
        let of = (chosen.provider.id.as_str(), scheme.id.as_str());
        let environment = &holder.session.environment_id;
        let mut clients = self.store.oauth_clients_for(environment, of, holder.owner.as_ref()).await?;
        let (filled_in, _) = chosen.split(scheme, &holder.defaults(&chosen.key).fields);
        let agrees =
            |(name, value): (&String, &String)| filled_in.get(name).is_none_or(|given| given == value);
        clients.retain(|client| texts(&client.config).iter().all(agrees));
        Ok(clients)
    }

    /// The client that a browser chose, by id. One that it may not choose is unknown to it, whoever has it.
    pub(super) async fn client_chosen(
        &self,
        holder: &SessionAccess,
        chosen: &Chosen,
        scheme: &AuthScheme,
        id: &str,
    ) -> Result<OAuthClient, Problem> {
        if holder.draft.oauth_clients == OAuthClientRight::None {
            return Err(not_allowed());
        }
        let mut within_reach = self.clients_within_reach(holder, chosen, scheme).await?.into_iter();
        within_reach.find(|client| client.id.as_str() == id).ok_or_else(unknown)
    }

    /// What a page shows to somebody who registers a client of their own for an auth scheme, or changes one.
    pub async fn client_form(
        &self,
        holder: &SessionAccess,
        key: &str,
        auth_scheme: &str,
        client: Option<&str>,
    ) -> Result<ClientForm, Problem> {
        holder.require(key)?;
        let (_, owner) = holder.managing()?;
        let chosen = self.chosen_in(holder, key).await?;
        let scheme = scheme_with_person(&chosen, auth_scheme)?;
        let client = match client {
            Some(id) => Some(self.own_client_chosen(holder, &chosen, scheme, id).await?),
            None => None,
        };
        let callback = match &client {
            Some(client) => client.callback.clone(),
            None => self.free_callback(holder, owner).await?,
        };
        let names = config_names_of_client(&chosen.provider, scheme);
        let (filled_in, _) = chosen.split(scheme, &holder.defaults(key).fields);
        let filled_in = filled_in.into_iter().filter(|(name, _)| names.contains(&name.as_str()));
        Ok(ClientForm {
            auth_scheme: scheme.id.clone(),
            callback,
            fields: names.iter().map(|name| (*name).to_owned()).collect(),
            filled_in: filled_in.collect(),
            suggested_name: suggested_name(holder, &chosen.provider),
            client: client.map(|client| OwnClient {
                id: client.id.to_string(),
                has_secret: client.sealed.is_some(),
                config: texts(&client.config),
                name: client.name,
                client_id: client.client_id,
                scopes: client.scopes,
            }),
            choice: chosen.into_choice(),
        })
    }

    /// Registers a client of somebody's own, or changes one; answers it. Its secret is sealed at once.
    pub async fn save_client(
        &self,
        holder: &SessionAccess,
        key: &str,
        auth_scheme: &str,
        typed: TypedClient,
    ) -> Result<OAuthClient, Problem> {
        holder.require(key)?;
        let (access, owner) = holder.managing()?;
        let chosen = self.chosen_in(holder, key).await?;
        let scheme = scheme_with_person(&chosen, auth_scheme)?;
        let mut faults = typed.faults(scheme);
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let client_secret = typed.client_secret.clone().filter(|secret| !secret.expose_secret().is_empty());
        if let Some(id) = &typed.id {
            if !faults.is_empty() {
                return Err(Problem::fields(faults));
            }
            let client = self.own_client_chosen(holder, &chosen, scheme, id).await?;
            let name = given(&typed.name).filter(|name| *name != client.name);
            let name = match name {
                Some(name) => Some(self.free_client_name(access, name).await?),
                None => None,
            };
            let change = OAuthClientChange {
                name,
                client_id: given(&typed.client_id),
                client_secret,
                scopes: typed.scopes,
            };
            return self.update_oauth_client(access, client.id.as_str(), change).await;
        }
        let (config, wrong) = config_of_client(holder, &chosen, scheme, &typed.config);
        faults.extend(wrong);
        if !faults.is_empty() {
            return Err(Problem::fields(faults));
        }
        self.require_room(holder, owner).await?;
        let is_shown = holder.callbacks().any(|callback| callback == typed.callback);
        if !is_shown || self.store.has_callback(&typed.callback).await? {
            let what = "The redirect URI has changed since the page was shown";
            let fix = "Open the page again, and register the redirect URI that it shows.";
            return Err(Problem::new(ProblemKind::Conflict, "redirect_uri_used", what, fix));
        }
        let wanted = given(&typed.name).unwrap_or_else(|| suggested_name(holder, &chosen.provider));
        let draft = OAuthClientDraft {
            provider: chosen.provider.id.clone(),
            auth_scheme: Some(scheme.id.clone()),
            name: self.free_client_name(access, wanted).await?,
            client_id: given(&typed.client_id),
            client_secret,
            config,
            scopes: typed.scopes.unwrap_or_default(),
            shared_callback: false,
        };
        let origin = ClientOrigin { callback: typed.callback, owner: owner.clone() };
        let (id, changes) = self.new_oauth_client(access, &draft, Some(origin)).await?;
        self.commit(&changes).await?;
        self.find_oauth_client(access, id.as_str()).await
    }

    async fn own_client_chosen(
        &self,
        holder: &SessionAccess,
        chosen: &Chosen,
        scheme: &AuthScheme,
        id: &str,
    ) -> Result<OAuthClient, Problem> {
        let client = self.client_chosen(holder, chosen, scheme, id).await?;
        let is_own = client.owner.is_some() && client.owner == holder.owner;
        if is_own { Ok(client) } else { Err(unknown()) }
    }

    async fn free_callback(&self, holder: &SessionAccess, owner: &ClientOwner) -> Result<String, Problem> {
        self.require_room(holder, owner).await?;
        for callback in holder.callbacks() {
            if !self.store.has_callback(&callback).await? {
                return Ok(callback);
            }
        }
        Err(too_many())
    }

    async fn require_room(&self, holder: &SessionAccess, owner: &ClientOwner) -> Result<(), Problem> {
        let known = self.store.oauth_clients_of(&holder.session.environment_id, owner).await?;
        if known < CLIENTS_MAX { Ok(()) } else { Err(too_many()) }
    }

    /// A name that no client has: names of others are none of the person's business, so a number is added without a word.
    async fn free_client_name(&self, access: &Access, wanted: String) -> Result<String, Problem> {
        for number in 1..100 {
            let name = if number == 1 { wanted.clone() } else { format!("{wanted} ({number})") };
            let known = self.store.oauth_client(&access.environment, &name).await?;
            if known.is_none() {
                return Ok(name);
            }
        }
        Ok(format!("{wanted} ({})", self.new_connection_id()?))
    }
}

impl TypedClient {
    /// What is wrong with it by itself.
    fn faults(&self, scheme: &AuthScheme) -> Vec<FieldError> {
        let secret = self.client_secret.as_ref().map_or("", |secret| secret.expose_secret());
        let mut faults = Vec::new();
        for (name, value, most) in [
            ("client_name", self.name.as_str(), NAME_MAX),
            ("client_id", self.client_id.as_str(), VALUE_MAX),
            ("client_secret", secret, VALUE_MAX),
        ] {
            if value.chars().count() > most || value.chars().any(char::is_control) {
                let en = format!("It has at most {most} characters and no line breaks.");
                faults.push(field(
                    name,
                    "format",
                    &en,
                    &format!("改行を含まない{most}文字以内で入力してください。"),
                ));
            }
        }
        let known = scheme.scopes();
        let wanted = self.scopes.iter().flatten();
        if wanted.clone().any(|scope| known.iter().all(|known| known.id != *scope)) {
            let en = "Choose among the scopes of the list.";
            faults.push(field("scopes", "unknown", en, "一覧にあるスコープから選択してください。"));
        }
        faults
    }
}

/// Where a new client is registered: everything that its addresses need, so that its secret goes nowhere else.
fn config_of_client(
    holder: &SessionAccess,
    chosen: &Chosen,
    scheme: &AuthScheme,
    typed: &BTreeMap<String, String>,
) -> (BTreeMap<String, String>, Vec<FieldError>) {
    let (filled_in, _) = chosen.split(scheme, &holder.defaults(&chosen.key).fields);
    let (mut config, mut faults) = (BTreeMap::new(), Vec::new());
    for name in config_names_of_client(&chosen.provider, scheme) {
        let Some(declared) = chosen.provider.config.get(name) else { continue };
        let value = filled_in.get(name).or_else(|| typed.get(name)).map_or("", String::as_str);
        match declared.accept(name, value) {
            Ok(Some(value)) => drop(config.insert(name.to_owned(), value)),
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    (config, faults)
}

fn scheme_with_person<'a>(chosen: &'a Chosen, id: &str) -> Result<&'a AuthScheme, Problem> {
    let scheme = chosen.scheme_called(Some(id))?;
    if scheme.needs_browser() { Ok(scheme) } else { Err(chosen.no_scheme("in a window at the vendor")) }
}

fn suggested_name(holder: &SessionAccess, provider: &Provider) -> String {
    let user = holder.draft.end_user.as_ref();
    let organization = user.and_then(|user| user.organization.as_ref());
    let organization = organization.map(|known| known.display_name.as_ref().unwrap_or(&known.id));
    let person = user.map(|user| user.display_name.as_ref().or(user.email.as_ref()).unwrap_or(&user.id));
    let name = match organization.or(person) {
        Some(who) => format!("{} – {who}", provider.name.en),
        None => provider.name.en.clone(),
    };
    name.chars().filter(|character| !character.is_control()).take(NAME_MAX).collect()
}

fn not_allowed() -> Problem {
    let what = "The connect session does not let a browser decide about OAuth clients";
    let fix = "Make the session with `oauth_clients`.";
    Problem::new(ProblemKind::Forbidden, "oauth_clients_not_allowed", what, fix)
}

/// The same, whether there is no such client, or it is somebody else's.
fn unknown() -> Problem {
    Problem::not_found("unknown_oauth_client", "There is no such OAuth client to choose")
}

fn too_many() -> Problem {
    let what = format!("There are {CLIENTS_MAX} OAuth clients of this kind already");
    let fix = "Have an administrator delete those that nobody needs.";
    Problem::new(ProblemKind::TooMany, "too_many_oauth_clients", what, fix)
}
