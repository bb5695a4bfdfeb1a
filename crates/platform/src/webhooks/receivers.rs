use std::time::Duration;

use serde_json::json;
use tombolo_store::{
    Change, NewWebhook, Object, StoreError, Webhook, WebhookChange, WebhookFormat, WebhookId, WebhookUpdate,
};
use tombolo_vault::{HostSet, Sealed};

use super::event_types::EventType;
use super::signature::{SECRET, WebhookSecret};
use crate::access::{Access, Scope};
use crate::credentials::{Place, Purpose};
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind, field};

/// Most webhooks of one environment: each of them costs every act that tells embedders something.
const WEBHOOKS_MAX: usize = 50;
/// Longest URL.
const URL_MAX: usize = 2000;
/// How long the secret before a rotation signs as well, so that receivers can change over.
const PREVIOUS_SIGNS: Duration = Duration::from_hours(24);

/// What a webhook is made from.
#[derive(Debug, Clone)]
pub struct WebhookDraft {
    /// What people call it.
    pub name: String,
    /// Where events are posted to.
    pub url: String,
    /// What a body looks like.
    pub format: WebhookFormat,
    /// The types it asks for, such as `connection.created` or `connection.*`; empty for all.
    pub event_types: Vec<String>,
}

/// What may change about a webhook; `None` keeps what is there.
#[derive(Debug, Clone, Default)]
pub struct WebhookChanges {
    /// What people call it.
    pub name: Option<String>,
    /// Where events are posted to.
    pub url: Option<String>,
    /// The types it asks for.
    pub event_types: Option<Vec<String>>,
    /// Whether it gets events.
    pub enabled: Option<bool>,
}

impl Platform {
    /// Makes a webhook. Its secret is given out this once.
    pub async fn create_webhook(
        &self,
        access: &Access,
        draft: &WebhookDraft,
    ) -> Result<(Webhook, WebhookSecret), Problem> {
        access.require(Scope::ManageWebhooks)?;
        check_name(&draft.name)?;
        check_event_types(&draft.event_types)?;
        self.check_url(&draft.url).await?;
        if self.store.webhooks(&access.environment).await?.len() >= WEBHOOKS_MAX {
            let what = format!("An environment has at most {WEBHOOKS_MAX} webhooks");
            return Err(Problem::new(ProblemKind::Conflict, "too_many_webhooks", what, "Delete one first."));
        }
        let id = WebhookId::generate(self.now(), &*self.random).map_err(StoreError::from)?;
        let secret = WebhookSecret::generate(&*self.random).map_err(StoreError::from)?;
        let sealed = self.seal_webhook_secret(access, &id, 1, &secret, None).await?;
        let new = NewWebhook {
            id: id.clone(),
            environment_id: access.environment.clone(),
            name: draft.name.trim().to_owned(),
            url: draft.url.clone(),
            format: draft.format,
            event_types: draft.event_types.clone(),
            sealed,
        };
        let object = Object { kind: "webhook".into(), id: id.to_string(), label: new.name.clone() };
        let detail =
            json!({ "url": draft.url, "format": draft.format.as_str(), "event_types": draft.event_types });
        let mut changes = vec![Change::Webhook(WebhookChange::Insert(new))];
        changes.extend(events(access, "webhook.created", object, detail, false));
        self.commit(&changes).await?;
        Ok((self.find_webhook(access, id.as_str()).await?, secret))
    }

    /// The environment's webhooks by name.
    pub async fn list_webhooks(&self, access: &Access) -> Result<Vec<Webhook>, Problem> {
        access.require(Scope::ReadWebhooks)?;
        Ok(self.store.webhooks(&access.environment).await?)
    }

    /// One webhook, by id or name.
    pub async fn read_webhook(&self, access: &Access, reference: &str) -> Result<Webhook, Problem> {
        access.require(Scope::ReadWebhooks)?;
        self.find_webhook(access, reference).await
    }

    /// Changes a webhook. Enabling one forgets its failures; disabling one gives up what is on its way to it.
    pub async fn update_webhook(
        &self,
        access: &Access,
        reference: &str,
        change: WebhookChanges,
    ) -> Result<Webhook, Problem> {
        access.require(Scope::ManageWebhooks)?;
        let webhook = self.find_webhook(access, reference).await?;
        if let Some(name) = &change.name {
            check_name(name)?;
        }
        if let Some(types) = &change.event_types {
            check_event_types(types)?;
        }
        if let Some(url) = &change.url {
            self.check_url(url).await?;
        }
        let detail = json!({
            "name": change.name, "url": change.url, "event_types": change.event_types, "enabled": change.enabled,
        });
        let mut changes = vec![Change::Webhook(WebhookChange::Update(WebhookUpdate {
            environment_id: access.environment.clone(),
            id: webhook.id.clone(),
            expected_version: webhook.version,
            name: change.name,
            url: change.url,
            event_types: change.event_types,
            secrets: None,
        }))];
        let environment_id = access.environment.clone();
        match change.enabled {
            Some(true) if webhook.disabled_at.is_some() => {
                changes.push(Change::Webhook(WebhookChange::Enable(environment_id, webhook.id.clone())));
            }
            Some(false) if webhook.disabled_at.is_none() => {
                let reason = format!("{} disabled it.", access.actor.label);
                let disable = WebhookChange::Disable { environment_id, id: webhook.id.clone(), reason };
                changes.push(Change::Webhook(disable));
            }
            _ => {}
        }
        changes.extend(events(access, "webhook.updated", object_of(&webhook), detail, false));
        self.commit(&changes).await?;
        self.find_webhook(access, webhook.id.as_str()).await
    }

    /// Gives a webhook another secret, which is given out this once. The one before signs as well for a day.
    pub async fn rotate_webhook_secret(
        &self,
        access: &Access,
        reference: &str,
    ) -> Result<(Webhook, WebhookSecret), Problem> {
        access.require(Scope::ManageWebhooks)?;
        let webhook = self.find_webhook(access, reference).await?;
        let secret = WebhookSecret::generate(&*self.random).map_err(StoreError::from)?;
        let previous = match webhook.sealed.clone() {
            Some(sealed) => Some(self.safe.stored(&self.store, place_of(&webhook), sealed).await?.open()?),
            None => None,
        };
        let previous = previous.as_ref().and_then(|secrets| secrets.value(SECRET));
        let version = webhook.sealed_version + 1;
        let sealed = self.seal_webhook_secret(access, &webhook.id, version, &secret, previous).await?;
        let mut changes = vec![Change::Webhook(WebhookChange::Update(WebhookUpdate {
            environment_id: access.environment.clone(),
            id: webhook.id.clone(),
            expected_version: webhook.version,
            name: None,
            url: None,
            event_types: None,
            secrets: Some((sealed, self.now().plus(PREVIOUS_SIGNS))),
        }))];
        changes.extend(events(access, "webhook.secret_rotated", object_of(&webhook), json!(null), false));
        self.commit(&changes).await?;
        Ok((self.find_webhook(access, webhook.id.as_str()).await?, secret))
    }

    /// Deletes a webhook; what is on its way to it is given up.
    pub async fn delete_webhook(&self, access: &Access, reference: &str) -> Result<(), Problem> {
        access.require(Scope::ManageWebhooks)?;
        let webhook = self.find_webhook(access, reference).await?;
        let delete = WebhookChange::Delete(access.environment.clone(), webhook.id.clone());
        let mut changes = vec![Change::Webhook(delete)];
        changes.extend(events(access, "webhook.deleted", object_of(&webhook), json!(null), false));
        self.commit(&changes).await.map(drop)
    }

    pub(super) async fn find_webhook(&self, access: &Access, reference: &str) -> Result<Webhook, Problem> {
        let found = self.store.webhook(&access.environment, reference).await?;
        found.ok_or_else(|| {
            Problem::not_found("unknown_webhook", format!("There is no webhook `{}`", shortened(reference)))
        })
    }

    /// The rules of the way out hold at every delivery; here they are told to whoever types the address.
    async fn check_url(&self, url: &str) -> Result<(), Problem> {
        let refused = |reason: &str| {
            let en = format!("This address cannot be sent to: {reason}.");
            let ja = format!("このURLには送信できません: {reason}");
            Problem::fields(vec![field("url", "address_refused", &en, &ja)])
        };
        if url.len() > URL_MAX {
            return Err(refused(&format!("it has more than {URL_MAX} characters")));
        }
        if url.contains('#') {
            return Err(refused("it has a fragment, which is never sent; remove everything from the #"));
        }
        self.check_target(url).await.map_err(|reason| refused(&reason))
    }

    async fn seal_webhook_secret(
        &self,
        access: &Access,
        id: &WebhookId,
        version: u64,
        secret: &WebhookSecret,
        previous: Option<&str>,
    ) -> Result<Sealed, Problem> {
        let place = place(access.environment.clone(), id, version);
        Ok(self.safe.seal(&self.store, place, &secret.with_previous(previous)).await?.sealed)
    }
}

/// The secret signs what is sent and is never sent itself, so it is bound to no host.
fn place(environment: tombolo_store::EnvironmentId, id: &WebhookId, version: u64) -> Place {
    Place {
        environment,
        purpose: Purpose::Webhook,
        object: id.to_string(),
        version,
        hosts: HostSet::default(),
    }
}

pub(super) fn place_of(webhook: &Webhook) -> Place {
    place(webhook.environment_id.clone(), &webhook.id, webhook.sealed_version)
}

pub(super) fn object_of(webhook: &Webhook) -> Object {
    Object { kind: "webhook".into(), id: webhook.id.to_string(), label: webhook.name.clone() }
}

fn check_name(name: &str) -> Result<(), Problem> {
    if name.trim().is_empty() || name.chars().count() > 255 {
        let (en, ja) =
            ("A webhook needs a name of at most 255 characters.", "Webhookには255文字以内の名前が必要です。");
        return Err(Problem::fields(vec![field("name", "required", en, ja)]));
    }
    Ok(())
}

fn check_event_types(types: &[String]) -> Result<(), Problem> {
    match types.iter().find(|wanted| !EventType::is_wanted_by(wanted)) {
        None => Ok(()),
        Some(unknown) => {
            let known: Vec<&str> = EventType::ALL.iter().map(|known| known.name()).collect();
            let (unknown, known) = (shortened(unknown), known.join(", "));
            let en = format!("There is no event type `{unknown}`; the types are: {known}.");
            let ja = format!("イベント種別「{unknown}」はありません。使える種別: {known}");
            Err(Problem::fields(vec![field("event_types", "unknown_event_type", &en, &ja)]))
        }
    }
}

pub(super) fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
