//! Somebody who may not enable a provider asks for it, and somebody who may decides.

use serde_json::json;
use tombolo_store::{
    Change, NewProviderRequest, Object, ProviderRequest, ProviderRequestId, ProviderRequestState,
    SettledProviderRequest, StoreError,
};

use crate::access::{Access, Scope};
use crate::integrations::IntegrationDraft;
use crate::platform::{Platform, events};
use crate::problem::{Problem, field};

/// The newest requests that are listed.
const LISTED: u32 = 200;
const TEXT_CHARACTERS_MAX: usize = 255;

impl Platform {
    /// Asks for a provider that has no integration in the caller's environment. Asking twice is a conflict.
    pub async fn request_provider(
        &self,
        access: &Access,
        provider: &str,
        reason: &str,
    ) -> Result<ProviderRequest, Problem> {
        access.require(Scope::RequestProvider)?;
        let provider = self.known_provider(provider)?;
        let reason = one_line("reason", reason)?;
        if self.is_enabled(access, &provider.id).await? {
            let what = format!("{} is enabled already", provider.name.en);
            return Err(Problem::invalid("provider_enabled", what, "Make a connection with it."));
        }
        let id = ProviderRequestId::generate(self.now(), &*self.random).map_err(StoreError::from)?;
        let new = NewProviderRequest {
            id: id.clone(),
            environment_id: access.environment.clone(),
            provider: provider.id.clone(),
            reason,
            asked_by: access.actor.id.clone(),
            asked_by_label: access.actor.label.clone(),
        };
        let object = object_of(&id, &provider.id);
        let mut changes = vec![Change::InsertProviderRequest(new)];
        changes.extend(events(access, "provider_request.created", object, json!(null), false));
        self.commit(&changes).await?;
        self.find_request(access, id.as_str()).await
    }

    /// What was asked for in the caller's environment: the open requests first, then the newest.
    pub async fn list_provider_requests(&self, access: &Access) -> Result<Vec<ProviderRequest>, Problem> {
        access.require(Scope::RequestProvider).or_else(|_| access.require(Scope::ManageProviderRequests))?;
        Ok(self.store.provider_requests(&access.environment, LISTED).await?)
    }

    /// Grants an open request, which makes the provider's own integration unless there is one by now, or declines it.
    pub async fn settle_provider_request(
        &self,
        access: &Access,
        id: &str,
        is_granted: bool,
        answer: &str,
    ) -> Result<ProviderRequest, Problem> {
        access.require(Scope::ManageProviderRequests)?;
        let answer = one_line("answer", answer)?;
        let request = self.find_request(access, id).await?;
        let state = if is_granted { ProviderRequestState::Granted } else { ProviderRequestState::Declined };
        let mut changes = vec![Change::SettleProviderRequest(SettledProviderRequest {
            environment_id: access.environment.clone(),
            id: request.id.clone(),
            state,
            answer,
            settled_by_label: access.actor.label.clone(),
        })];
        if is_granted {
            access.require(Scope::CreateIntegration)?;
            let provider = self.known_provider(&request.provider)?;
            if !self.is_enabled(access, &provider.id).await? {
                let own = IntegrationDraft::of_provider(&provider);
                changes.extend(self.new_integration(access, &provider, &own)?.1);
            }
        }
        let action = format!("provider_request.{state}");
        let object = object_of(&request.id, &request.provider);
        changes.extend(events(access, &action, object, json!(null), false));
        self.commit(&changes).await?;
        self.find_request(access, id).await
    }

    async fn is_enabled(&self, access: &Access, provider: &str) -> Result<bool, Problem> {
        let integrations = self.store.integrations(&access.environment).await?;
        Ok(integrations.iter().any(|integration| integration.provider == provider))
    }

    async fn find_request(&self, access: &Access, id: &str) -> Result<ProviderRequest, Problem> {
        let unknown = || Problem::not_found("unknown_provider_request", "There is no such request");
        let id: ProviderRequestId = id.parse().map_err(|_| unknown())?;
        self.store.provider_request(&access.environment, &id).await?.ok_or_else(unknown)
    }
}

fn object_of(id: &ProviderRequestId, provider: &str) -> Object {
    Object { kind: "provider_request".into(), id: id.to_string(), label: provider.to_owned() }
}

/// A text of somebody's own, in one line.
fn one_line(name: &str, text: &str) -> Result<String, Problem> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= TEXT_CHARACTERS_MAX && !line.contains(char::is_control) {
        return Ok(line);
    }
    let (en, ja) = ("Use at most 255 characters.", "255文字以内にしてください。");
    Err(Problem::fields(vec![field(name, "custom", en, ja)]))
}
