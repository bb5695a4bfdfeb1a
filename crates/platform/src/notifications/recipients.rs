//! Whom an environment tells.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tombolo_auth::{Credentials, CredentialsBuilder};
use tombolo_catalog::Language;
use tombolo_store::{
    Change, Channel, NewRecipient, NoticeKind, NotificationChange, Object, Recipient, RecipientId,
    RecipientUpdate, StoreError,
};
use tombolo_vault::{HostSet, Sealed};

use crate::access::{Access, Scope};
use crate::credentials::{Place, Purpose, api_host};
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind, field};

/// Most recipients of one environment: each of them costs every change of a connection's health something.
const RECIPIENTS_MAX: usize = 50;
/// Longest address.
const ADDRESS_MAX: usize = 2000;
/// The name of the sealed value.
pub(super) const ADDRESS: &str = "address";

/// What a recipient is made from.
pub struct RecipientDraft {
    /// What people call it.
    pub name: String,
    /// How it is reached.
    pub channel: Channel,
    /// The mailbox, or the address that the chat gave; nothing for the mail of end users.
    pub address: Option<SecretString>,
    /// The language it reads.
    pub language: Language,
    /// What it wants to hear; empty for everything.
    pub kinds: Vec<NoticeKind>,
}

/// What may change about a recipient; `None` keeps what is there.
#[derive(Default)]
pub struct RecipientChanges {
    /// What people call it.
    pub name: Option<String>,
    /// Another mailbox, or another address of the chat.
    pub address: Option<SecretString>,
    /// The language it reads.
    pub language: Option<Language>,
    /// What it wants to hear.
    pub kinds: Option<Vec<NoticeKind>>,
    /// Whether it is told anything.
    pub enabled: Option<bool>,
}

/// An address as it is stored: what may be shown of it, and what is sealed.
struct Kept {
    shown: String,
    sealed: Option<(Sealed, HostSet)>,
}

impl Platform {
    /// Makes a recipient.
    pub async fn create_recipient(
        &self,
        access: &Access,
        draft: RecipientDraft,
    ) -> Result<Recipient, Problem> {
        access.require(Scope::ManageNotifications)?;
        check_name(&draft.name)?;
        if self.store.recipients(&access.environment).await?.len() >= RECIPIENTS_MAX {
            let what = format!("An environment has at most {RECIPIENTS_MAX} recipients");
            return Err(Problem::new(
                ProblemKind::Conflict,
                "too_many_recipients",
                what,
                "Delete one first.",
            ));
        }
        let id = RecipientId::generate(self.now(), &*self.random).map_err(StoreError::from)?;
        let kept = self.kept(access, &id, 1, draft.channel, draft.address.as_ref()).await?;
        let new = NewRecipient {
            id: id.clone(),
            environment_id: access.environment.clone(),
            name: draft.name.trim().to_owned(),
            channel: draft.channel,
            address: kept.shown.clone(),
            sealed: kept.sealed,
            language: code_of(draft.language).to_owned(),
            kinds: names(&draft.kinds),
        };
        let object = Object { kind: "recipient".into(), id: id.to_string(), label: new.name.clone() };
        let detail = json!({
            "channel": draft.channel.as_str(), "address": kept.shown, "language": new.language, "kinds": new.kinds,
        });
        let mut changes = vec![Change::Notification(NotificationChange::Insert(new))];
        changes.extend(events(access, "recipient.created", object, detail, false));
        self.commit(&changes).await?;
        self.find_recipient(access, id.as_str()).await
    }

    /// The environment's recipients by name.
    pub async fn list_recipients(&self, access: &Access) -> Result<Vec<Recipient>, Problem> {
        access.require(Scope::ReadNotifications)?;
        Ok(self.store.recipients(&access.environment).await?)
    }

    /// One recipient, by id or name.
    pub async fn read_recipient(&self, access: &Access, reference: &str) -> Result<Recipient, Problem> {
        access.require(Scope::ReadNotifications)?;
        self.find_recipient(access, reference).await
    }

    /// Changes a recipient.
    pub async fn update_recipient(
        &self,
        access: &Access,
        reference: &str,
        change: RecipientChanges,
    ) -> Result<Recipient, Problem> {
        access.require(Scope::ManageNotifications)?;
        let recipient = self.find_recipient(access, reference).await?;
        if let Some(name) = &change.name {
            check_name(name)?;
        }
        let kept = match &change.address {
            None => None,
            Some(address) => {
                let version = recipient.sealed_version + 1;
                Some(self.kept(access, &recipient.id, version, recipient.channel, Some(address)).await?)
            }
        };
        let (address, sealed) = kept.map(|kept| (kept.shown, kept.sealed)).unzip();
        let update = RecipientUpdate {
            environment_id: access.environment.clone(),
            id: recipient.id.clone(),
            expected_version: recipient.version,
            name: change.name,
            address,
            sealed: sealed.flatten(),
            language: change.language.map(|language| code_of(language).to_owned()),
            kinds: change.kinds.as_deref().map(names),
            enabled: change.enabled,
        };
        let detail = json!({
            "name": update.name, "address": update.address, "language": update.language, "kinds": update.kinds,
            "enabled": update.enabled,
        });
        let mut changes = vec![Change::Notification(NotificationChange::Update(update))];
        changes.extend(events(access, "recipient.updated", object_of(&recipient), detail, false));
        self.commit(&changes).await?;
        self.find_recipient(access, recipient.id.as_str()).await
    }

    /// Deletes a recipient; what it was to be told is forgotten.
    pub async fn delete_recipient(&self, access: &Access, reference: &str) -> Result<(), Problem> {
        access.require(Scope::ManageNotifications)?;
        let recipient = self.find_recipient(access, reference).await?;
        let delete = NotificationChange::Delete(access.environment.clone(), recipient.id.clone());
        let mut changes = vec![Change::Notification(delete)];
        changes.extend(events(access, "recipient.deleted", object_of(&recipient), json!(null), false));
        self.commit(&changes).await.map(drop)
    }

    /// Sends a recipient a test message now, and says why it was not taken.
    pub async fn test_recipient(&self, access: &Access, reference: &str) -> Result<Recipient, Problem> {
        access.require(Scope::ManageNotifications)?;
        let recipient = self.find_recipient(access, reference).await?;
        if recipient.channel == Channel::EndUserMail {
            let what = "The mail of end users has no address of its own to test";
            let fix = "Test a recipient with a mailbox: it is sent through the same server.";
            return Err(Problem::invalid("nothing_to_test", what, fix));
        }
        self.send_test(&recipient).await?;
        Ok(recipient)
    }

    async fn find_recipient(&self, access: &Access, reference: &str) -> Result<Recipient, Problem> {
        let found = self.store.recipient(&access.environment, reference).await?;
        found.ok_or_else(|| {
            let shown: String = reference.chars().take(80).collect();
            Problem::not_found("unknown_recipient", format!("There is no recipient `{shown}`"))
        })
    }

    /// Checks an address and seals it if it is a secret.
    async fn kept(
        &self,
        access: &Access,
        id: &RecipientId,
        version: u64,
        channel: Channel,
        address: Option<&SecretString>,
    ) -> Result<Kept, Problem> {
        let given = address.map(|address| address.expose_secret().trim()).filter(|text| !text.is_empty());
        match (channel, given) {
            (Channel::EndUserMail, None) => Ok(Kept { shown: String::new(), sealed: None }),
            (Channel::EndUserMail, Some(_)) => {
                let en = "The mail of end users goes to each person's own address; leave this out.";
                Err(refused("not_needed", en, "利用者本人宛てに送るため、宛先は指定できません。"))
            }
            (_, None) => Err(refused("required", "Give an address.", "宛先を入力してください。")),
            (Channel::Mail, Some(address)) => {
                if address.len() > 320 || address.parse::<lettre::Address>().is_err() {
                    let en = "This is no mail address; write it like ops@example.com.";
                    let ja = "メールアドレスを ops@example.com のように入力してください。";
                    return Err(refused("invalid_address", en, ja));
                }
                Ok(Kept { shown: address.to_owned(), sealed: None })
            }
            (Channel::Slack | Channel::Teams | Channel::Discord | Channel::Json, Some(url)) => {
                self.check_chat(url).await?;
                let (origin, _) = self.egress.parse_url(url).map_err(|_| unreadable())?;
                let hosts = api_host(origin.host(), origin.port())?;
                let place = place(access.environment.clone(), id, version, hosts.clone());
                let secret: Credentials = CredentialsBuilder::new().value(ADDRESS, url).build();
                let sealed = self.safe.seal(&self.store, place, &secret).await?.sealed;
                Ok(Kept { shown: origin.host().to_owned(), sealed: Some((sealed, hosts)) })
            }
        }
    }

    /// The rules of the way out hold at every message; here they are told to whoever types the address, which is not
    /// repeated.
    async fn check_chat(&self, url: &str) -> Result<(), Problem> {
        if url.len() > ADDRESS_MAX || url.contains('#') {
            return Err(unreadable());
        }
        self.check_target(url).await.map_err(|reason| {
            let en = format!("This address cannot be sent to: {reason}.");
            refused("address_refused", &en, &format!("このURLには送信できません: {reason}"))
        })
    }
}

/// The address of a chat goes to its own host and nowhere else.
fn place(environment: tombolo_store::EnvironmentId, id: &RecipientId, version: u64, hosts: HostSet) -> Place {
    Place { environment, purpose: Purpose::Recipient, object: id.to_string(), version, hosts }
}

pub(super) fn place_of(recipient: &Recipient) -> Place {
    let (environment, hosts) = (recipient.environment_id.clone(), recipient.hosts.clone());
    place(environment, &recipient.id, recipient.sealed_version, hosts)
}

/// The language with a code that was stored.
pub(super) fn language_of(code: &str) -> Language {
    Language::negotiate(code)
}

pub(super) fn code_of(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Ja => "ja",
    }
}

fn names(kinds: &[NoticeKind]) -> Vec<String> {
    kinds.iter().map(|kind| kind.as_str().to_owned()).collect()
}

fn object_of(recipient: &Recipient) -> Object {
    Object { kind: "recipient".into(), id: recipient.id.to_string(), label: recipient.name.clone() }
}

fn check_name(name: &str) -> Result<(), Problem> {
    if name.trim().is_empty() || name.chars().count() > 255 {
        let (en, ja) =
            ("A recipient needs a name of at most 255 characters.", "宛先には255文字以内の名前が必要です。");
        return Err(Problem::fields(vec![field("name", "required", en, ja)]));
    }
    Ok(())
}

fn unreadable() -> Problem {
    let en = "This is no https address of a chat; copy it from there as it is.";
    refused("invalid_address", en, "チャットで発行されたhttpsのURLをそのまま入力してください。")
}

fn refused(code: &'static str, en: &str, ja: &str) -> Problem {
    Problem::fields(vec![field("address", code, en, ja)])
}
