//! Somebody says whose account it is, before the vendor is asked for a single token.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tombolo_store::{
    Authorization, AuthorizationId, AuthorizationStage, AuthorizationStep, Change, ConnectionId, Object,
};

use super::STEP_LIFE;
use super::agreement::Answer;
use super::draft::WaitingDraft;
use crate::access::{Access, Scope};
use crate::connection_test::TestReport;
use crate::connections::{CreatedConnection, name_taken};
use crate::platform::{Platform, events};
use crate::problem::{Problem, ProblemKind};

/// What whoever made a link says as they confirm.
#[derive(Debug, Clone, Default)]
pub struct Confirmation {
    /// Their own id of the person who is signed in with them in the browser that finished.
    pub end_user: Option<String>,
    /// What that browser was given.
    pub proof: Option<SecretString>,
}

impl Platform {
    /// Makes the connection of an authorization, once: whoever made the link shows what the browser that finished was given,
    /// and says that the person in front of it is the one whom the link was for. Only then is the vendor's answer exchanged
    /// and the account tested; one that does not pass is not stored, which ends the authorization. `reference` is the id of
    /// the authorization or of the connection. An authorization for an end user asks for that user's id, as the embedder's
    /// back end knows it of whoever is signed in there: if the two differ, or the authorization was for nobody in particular,
    /// somebody has followed another one's link, and the authorization ends.
    pub async fn confirm_authorization(
        self: &Arc<Self>,
        access: &Access,
        reference: &str,
        confirmation: &Confirmation,
    ) -> Result<Result<CreatedConnection, TestReport>, Problem> {
        access.require_any(&[Scope::CreateConnection, Scope::CreateConnectSession])?;
        let authorization = self.to_confirm(access, reference).await?;
        let (_, _, draft) = self.parts_of(&authorization).await?;
        let expected = self.expected_user(&authorization, &draft).await?;
        if expected.is_some() && confirmation.end_user.is_none() {
            let what =
                "The account was linked for an end user, and nobody said for which one it is confirmed";
            let fix = "Send `end_user_id` with your own id of the person.";
            return Err(Problem::invalid("end_user_needed", what, fix));
        }
        let sealed = self.remembered(&authorization).await?.open()?;
        self.require_proof(&authorization, &sealed, confirmation.proof.as_ref()).await?;
        if confirmation.end_user != expected {
            let what = match expected {
                Some(_) => "The account was linked for another end user",
                None => "The account was linked for no end user in particular, so it is not this one's",
            };
            let fix = "Begin again, from a session of the person who is signed in: somebody has followed a link that was made for another one.";
            let problem = Problem::new(ProblemKind::Forbidden, "other_end_user", what, fix);
            self.fail(&authorization, AuthorizationStage::Unconfirmed, &problem).await;
            return Err(problem);
        }
        self.refuse_name_of_another(access, &authorization, &draft).await?;
        let answer = Answer::among(&sealed).ok_or_else(not_to_confirm)?;
        let take = AuthorizationStep {
            environment_id: authorization.environment_id.clone(),
            id: authorization.id.clone(),
            from: &[AuthorizationStage::Unconfirmed],
            stage: AuthorizationStage::Answered,
            started: None,
            proof_hash: None,
            sealed: None,
            outcome: Json::Null,
            expires_at: Some(self.now().plus(STEP_LIFE)),
        };
        match self.commit(&[Change::StepAuthorization(take)]).await {
            Err(problem) if problem.code == "version_conflict" => return Err(not_to_confirm()),
            outcome => outcome.map(drop)?,
        }
        let linked = self.link_answered(access, &authorization, sealed, answer).await;
        match &linked {
            Ok(Ok(())) => {}
            Ok(Err(report)) => {
                let problem = report.as_problem(ProblemKind::TestFailed);
                self.fail(&authorization, AuthorizationStage::Answered, &problem).await;
            }
            Err(problem) => self.fail(&authorization, AuthorizationStage::Answered, problem).await,
        }
        if authorization.socket_hash.is_some() {
            self.hasten_sockets();
        }
        if let Err(report) = linked? {
            return Ok(Err(report));
        }
        let id = authorization.connection.as_str();
        let (connection, integration) = self.find_connection(&access.environment, None, id).await?;
        Ok(Ok(CreatedConnection { connection, integration, report: None }))
    }

    /// Before the code is spent: a name can be given back, a code cannot.
    async fn refuse_name_of_another(
        &self,
        access: &Access,
        authorization: &Authorization,
        draft: &WaitingDraft,
    ) -> Result<(), Problem> {
        let chosen = authorization.links_again.is_none() && authorization.connect_session.is_none();
        if chosen && !self.store.connections_called(&access.environment, &draft.name).await?.is_empty() {
            return Err(name_taken(&draft.name));
        }
        Ok(())
    }

    /// The embedder's id of the person whom the confirmation of an authorization has to name.
    pub(crate) async fn end_user_to_confirm(
        &self,
        authorization: &Authorization,
    ) -> Result<Option<String>, Problem> {
        let (_, _, draft) = self.parts_of(authorization).await?;
        self.expected_user(authorization, &draft).await
    }

    /// The embedder's id of the person whom an authorization is for, wherever it was said; our own of somebody who links an
    /// account in the dashboard.
    pub(super) async fn expected_user(
        &self,
        authorization: &Authorization,
        draft: &WaitingDraft,
    ) -> Result<Option<String>, Problem> {
        if let Some(user) = &draft.by_user {
            return Ok(Some(user.clone()));
        }
        let said = draft.end_user.as_ref().map(|user| user.id.clone());
        if let Some(said) = said.or_else(|| draft.tags.get("end_user_id").cloned()) {
            return Ok(Some(said));
        }
        if authorization.links_again.is_none() {
            return Ok(None);
        }
        let known = self.store.connection(&authorization.environment_id, &authorization.connection).await?;
        Ok(known.and_then(|connection| connection.end_user).map(|user| user.id))
    }

    /// Refuses what a person brought back: it is forgotten, and there is no connection. The vendor was never asked for a
    /// token, so there is nothing to take back there.
    pub async fn reject_authorization(&self, access: &Access, reference: &str) -> Result<(), Problem> {
        access.require_any(&[Scope::CreateConnection, Scope::CreateConnectSession])?;
        let authorization = self.to_confirm(access, reference).await?;
        let step = AuthorizationStep {
            environment_id: authorization.environment_id.clone(),
            id: authorization.id.clone(),
            from: &[AuthorizationStage::Unconfirmed],
            stage: AuthorizationStage::Failed,
            started: None,
            proof_hash: None,
            sealed: None,
            outcome: json!({
                "code": "rejected",
                "what": "The account was refused by whoever made the link",
                "fix": "Begin again from a link of your own.",
            }),
            expires_at: None,
        };
        let object = Object {
            kind: "authorization".into(),
            id: authorization.id.to_string(),
            label: authorization.connection.to_string(),
        };
        let mut changes = vec![Change::StepAuthorization(step)];
        changes.extend(events(access, "authorization.rejected", object, Json::Null, false));
        match self.commit(&changes).await {
            Err(problem) if problem.code == "version_conflict" => Err(not_to_confirm()),
            outcome => outcome.map(drop),
        }
    }

    async fn to_confirm(&self, access: &Access, reference: &str) -> Result<Authorization, Problem> {
        let authorization = if let Ok(id) = reference.parse::<AuthorizationId>() {
            self.find_authorization(access, &id).await?
        } else {
            let id = reference.parse::<ConnectionId>().map_err(|_| not_to_confirm())?;
            let newest = self.store.authorization_of_connection(&access.environment, &id).await?;
            newest.ok_or_else(not_to_confirm)?
        };
        let waits = authorization.stage == AuthorizationStage::Unconfirmed;
        if waits && authorization.expires_at > self.now() { Ok(authorization) } else { Err(not_to_confirm()) }
    }
}

pub(super) fn not_to_confirm() -> Problem {
    let what =
        "There is nothing to confirm: it was confirmed, it is too old, or the person has not come back yet";
    Problem::new(ProblemKind::Conflict, "nothing_to_confirm", what, "Look at the state of the authorization.")
}
