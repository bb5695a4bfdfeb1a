//! API keys: made (shown once), listed, revoked.

use secrecy::{ExposeSecret as _, SecretString};
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
        check_grant(access, display_name, scopes)?;
        let (new, text) = NewApiKey::generate(
            access.environment.clone(),
            display_name.trim().to_owned(),
            scopes.to_vec(),
            expires_at,
            self.now(),
            &*self.random,
        )?;
        let key = self.store_api_key(access, new, &text, "api_key.created").await?;
        Ok((key, text))
    }

    /// Accepts a key of the compatible product from now on, so that programs that hold it need not change. Only what can
    /// check it is stored. Refuses what is no random UUID, and a key that is or was accepted already.
    pub async fn import_api_key(
        &self,
        access: &Access,
        display_name: &str,
        scopes: &[String],
        expires_at: Option<Timestamp>,
        existing: &SecretString,
    ) -> Result<ApiKey, Problem> {
        check_grant(access, display_name, scopes)?;
        let text = ApiKeyText::taken_over(existing.expose_secret().trim()).map_err(|_| {
            let (en, ja) = (
                "This is not a random UUID of version 4 in lower case, as keys of the compatible product are.",
                "互換製品のAPIキー(小文字のランダムなUUID v4)ではありません。",
            );
            Problem::fields(vec![field("key", "invalid", en, ja)])
        })?;
        let new = NewApiKey::of_text(
            &text,
            access.environment.clone(),
            display_name.trim().to_owned(),
            scopes.to_vec(),
            expires_at,
            self.now(),
            &*self.random,
        )?;
        self.store_api_key(access, new, &text, "api_key.imported").await
    }

    async fn store_api_key(
        &self,
        access: &Access,
        new: NewApiKey,
        text: &ApiKeyText,
        action: &str,
    ) -> Result<ApiKey, Problem> {
        let id = new.id.to_string();
        let object = Object { kind: "api_key".into(), id, label: new.display_name.clone() };
        let detail = json!({ "scopes": new.scopes });
        let mut changes = vec![Change::InsertApiKey(new)];
        changes.extend(events(access, action, object, detail, false));
        self.commit(&changes).await?;
        let stored = self.store.api_key_by_lookup(text.lookup()).await?;
        stored.ok_or_else(|| Problem::not_found("unknown_api_key", "The API key vanished"))
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

/// Refuses a key without a name, and one that may do what its maker may not.
fn check_grant(access: &Access, display_name: &str, scopes: &[String]) -> Result<(), Problem> {
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
    Ok(())
}
