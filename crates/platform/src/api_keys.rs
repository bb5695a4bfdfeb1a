//! API keys: made (shown once), listed, revoked.

use serde_json::json;
use tombolo_store::{ApiKey, ApiKeyText, Change, NewApiKey, Object, Timestamp};

use crate::access::{Access, Scope};
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind, field};

impl Platform {
    /// Makes a key for the caller's environment. The text is shown this once; only what can check it is stored.
    pub async fn create_api_key(
        &self,
        access: &Access,
        display_name: &str,
        scopes: &[String],
        expires_at: Option<Timestamp>,
    ) -> Result<(ApiKey, ApiKeyText), Problem> {
        access.require(Scope::ManageApiKeys)?;
        if display_name.trim().is_empty() || display_name.chars().count() > 255 {
            let (en, ja) = (
                "An API key needs a name of at most 255 characters.",
                "APIキーには255文字以内の名前が必要です。",
            );
            return Err(Problem::fields(vec![field("display_name", "required", en, ja)]));
        }
        if let Some(unknown) = scopes.iter().find(|scope| !Scope::is_grantable(scope)) {
            let names: Vec<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
            let fix = format!("Scopes are `environment:*`, `installation:*` and: {}.", names.join(", "));
            return Err(Problem::invalid("unknown_scope", format!("There is no scope `{unknown}`"), fix));
        }
        if let Some(more) = scopes.iter().find(|scope| !access.may_grant(scope)) {
            let what = format!("`{more}` is more than your own API key may do");
            let fix = "Grant what your key has, or use a key that has more.";
            return Err(Problem::new(ProblemKind::Forbidden, "forbidden", what, fix));
        }
        let (new, text) = NewApiKey::generate(
            access.environment.clone(),
            display_name.trim().to_owned(),
            scopes.to_vec(),
            expires_at,
            self.now(),
            &*self.random,
        )?;
        let id = new.id.clone();
        let object = Object { kind: "api_key".into(), id: id.to_string(), label: new.display_name.clone() };
        let mut changes = vec![Change::InsertApiKey(new)];
        changes.extend(events(access, "api_key.created", object, json!({ "scopes": scopes }), false));
        self.commit(&changes).await?;
        let stored = self.store.api_key_by_lookup(text.lookup()).await?;
        let key = stored.ok_or_else(|| Problem::not_found("unknown_api_key", "The API key vanished"))?;
        Ok((key, text))
    }

    /// The environment's keys, newest first.
    pub async fn list_api_keys(&self, access: &Access) -> Result<Vec<ApiKey>, Problem> {
        access.require(Scope::ManageApiKeys)?;
        Ok(self.store.api_keys(&access.environment).await?)
    }

    /// Refuses a key from now on; on every node within a second.
    pub async fn revoke_api_key(&self, access: &Access, reference: &str) -> Result<(), Problem> {
        access.require(Scope::ManageApiKeys)?;
        let keys = self.store.api_keys(&access.environment).await?;
        let key = keys
            .into_iter()
            .find(|key| key.id.as_str() == reference || key.display_name == reference)
            .ok_or_else(|| {
                Problem::not_found("unknown_api_key", format!("There is no API key `{reference}`"))
            })?;
        let object =
            Object { kind: "api_key".into(), id: key.id.to_string(), label: key.display_name.clone() };
        let mut changes = vec![Change::RevokeApiKey(access.environment.clone(), key.id)];
        changes.extend(events(access, "api_key.revoked", object, json!(null), false));
        self.commit(&changes).await.map(drop)
    }
}
