//! Environments: what keeps the connections of one customer, or of tests and production, apart.

use serde_json::Value as Json;
use tombolo_store::{
    ActorKind, Change, Environment, EnvironmentId, NewAuditEvent, NewEnvironment, Object, StoreError,
};

use crate::access::Access;
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

impl Platform {
    /// Makes an environment with a data key of its own. Only the operator may: an API key never reaches beyond its
    /// environment. The name has lower-case letters, digits, `_` and `-`.
    pub async fn create_environment(&self, access: &Access, name: &str) -> Result<Environment, Problem> {
        if access.actor.kind != ActorKind::Operator {
            let fix = "Ask the operator of this server to make it.";
            let what = "Only the operator may make environments";
            return Err(Problem::new(ProblemKind::Forbidden, "forbidden", what, fix));
        }
        let id = EnvironmentId::generate(self.now(), &*self.random).map_err(StoreError::from)?;
        let data_key = self.safe.first_data_key(&id)?;
        let object = Object { kind: "environment".into(), id: id.to_string(), label: name.to_owned() };
        let new = NewEnvironment { id, name: name.to_owned(), data_key };
        let event = NewAuditEvent {
            environment_id: None,
            actor: access.actor.clone(),
            action: "environment.created".to_owned(),
            object,
            detail: Json::Null,
        };
        self.commit(&[Change::InsertEnvironment(new), Change::Audit(event)]).await?;
        let made = self.store.environment_named(name).await?;
        made.ok_or_else(|| Problem::not_found("unknown_environment", "The environment is gone"))
    }
}
