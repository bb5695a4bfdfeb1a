use serde_json::Value as Json;
use tombolo_vault::{HostSet, Sealed};

use crate::commit::Act;
use crate::connections::hosts;
use crate::database::{Row, query};
use crate::environments::count_sealed;
use crate::error::StoreError;
use crate::id::{AuthorizationId, ConnectSessionId, ConnectionId, EnvironmentId, OAuthClientId};
use crate::store::Store;
use crate::text_enum::text_enum;
use crate::timestamp::Timestamp;

/// An attempt of a person to link an account at the vendor.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorization {
    /// Names it; not secret.
    pub id: AuthorizationId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// The client that the person is asked to trust.
    pub oauth_client: OAuthClientId,
    /// The connection that it makes.
    pub connection: ConnectionId,
    /// The connect session that it belongs to.
    pub connect_session: Option<ConnectSessionId>,
    /// The version of the connection that is linked again; `None` for a new one.
    pub links_again: Option<u64>,
    /// The hash of the socket that waits for its outcome.
    pub socket_hash: Option<Vec<u8>>,
    /// The hash of what proves the browser that began; `None` before the beginning.
    pub browser_hash: Option<Vec<u8>>,
    /// The hash of what the browser that finished was given, as long as it waits for its confirmation.
    pub proof_hash: Option<Vec<u8>>,
    /// How far it is.
    pub stage: AuthorizationStage,
    /// What was given for the connection: a JSON object without secrets.
    pub draft: Json,
    /// The hosts that `sealed` is bound to.
    pub hosts: HostSet,
    /// What the gates ask for, and the PKCE verifier; then the vendor's answer beside them, until it is confirmed.
    pub sealed: Option<Sealed>,
    /// The record version that `sealed` is bound to.
    pub sealed_version: u64,
    /// What came of it: JSON.
    pub outcome: Json,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it can no longer go on.
    pub expires_at: Timestamp,
}

text_enum! {
    /// How far an authorization is.
    AuthorizationStage {
        /// Nobody has opened the link yet.
        Waiting = "waiting",
        /// A person is at the vendor.
        Started = "started",
        /// The vendor's answer is being exchanged or looked at; that is done once.
        Answered = "answered",
        /// The vendor's answer is kept, and somebody has to confirm whose account it is about.
        Unconfirmed = "unconfirmed",
        /// The connection is made.
        Linked = "linked",
        /// It has come to nothing.
        Failed = "failed",
    }
}

/// An authorization to be made.
#[derive(Debug, Clone)]
pub struct NewAuthorization {
    /// Its id.
    pub id: AuthorizationId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// The client that the person is asked to trust.
    pub oauth_client: OAuthClientId,
    /// The connection that it is to make.
    pub connection: ConnectionId,
    /// The connect session that it belongs to.
    pub connect_session: Option<ConnectSessionId>,
    /// The version of the connection that is linked again; `None` for a new one.
    pub links_again: Option<u64>,
    /// The hash of the socket that waits for its outcome.
    pub socket_hash: Option<Vec<u8>>,
    /// The hash of the secret in the link.
    pub start_hash: Vec<u8>,
    /// What was given for the connection.
    pub draft: Json,
    /// What was given that is secret, sealed for [`NewAuthorization::SEALED_VERSION`] and these hosts.
    pub sealed: Option<(Sealed, HostSet)>,
    /// When it can no longer go on.
    pub expires_at: Timestamp,
}

impl NewAuthorization {
    /// The record version that the secrets of a new authorization are bound to.
    pub const SEALED_VERSION: u64 = 1;
}

/// A next stage; the present one decides whether it is taken.
#[derive(Debug, Clone)]
pub struct AuthorizationStep {
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// Which one.
    pub id: AuthorizationId,
    /// The stages that it may be at.
    pub from: &'static [AuthorizationStage],
    /// The stage that comes.
    pub stage: AuthorizationStage,
    /// For the beginning: the hashes of state and browser.
    pub started: Option<(Vec<u8>, Vec<u8>)>,
    /// For the wait: the hash of what the browser that finished is given; `None` empties it.
    pub proof_hash: Option<Vec<u8>>,
    /// What is sealed from now on, for this version and these hosts; `None` empties it.
    pub sealed: Option<(Sealed, u64, HostSet)>,
    /// What came of it.
    pub outcome: Json,
    /// When it can no longer go on; `None` keeps what is there.
    pub expires_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, environment_id, oauth_client_id, connection, browser_hash, stage, draft, hosts, sealed, \
                       sealed_version, outcome, created_at, expires_at, connect_session, links_again, socket_hash, proof_hash";

impl Store {
    /// How many attempts a connect session has begun.
    pub async fn authorizations_of_session(
        &self,
        environment: &EnvironmentId,
        session: &ConnectSessionId,
    ) -> Result<u64, StoreError> {
        let count =
            query("SELECT COUNT(*) FROM authorizations WHERE environment_id = $1 AND connect_session = $2");
        let row = self.database.read_one(count.bind(environment).bind(session)).await?;
        row.map_or(Ok(0), |mut row| row.counter())
    }

    /// The authorization of a connect session that has linked its account; `None` when none has, or when the account was
    /// linked without one.
    pub async fn linked_authorization_of_session(
        &self,
        environment: &EnvironmentId,
        session: &ConnectSessionId,
    ) -> Result<Option<Authorization>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM authorizations WHERE environment_id = $1 AND connect_session = $2 AND stage = 'linked' LIMIT 1"
        ));
        let select = select.bind(environment).bind(session);
        self.database.read_one(select).await?.map(read).transpose()
    }

    /// Whether any attempt is to tell a browser's socket how it does. (Takes no environment: only who opened the socket
    /// knows its name.)
    pub async fn is_socket_named(&self, socket_hash: &[u8]) -> Result<bool, StoreError> {
        let select = query("SELECT 1 FROM authorizations WHERE socket_hash = $1 LIMIT 1");
        Ok(self.database.read_one(select.bind(socket_hash)).await?.is_some())
    }

    /// The environment's authorization with this id.
    pub async fn authorization(
        &self,
        environment: &EnvironmentId,
        id: &AuthorizationId,
    ) -> Result<Option<Authorization>, StoreError> {
        let select =
            query(format!("SELECT {COLUMNS} FROM authorizations WHERE environment_id = $1 AND id = $2"));
        self.database.read_one(select.bind(environment).bind(id)).await?.map(read).transpose()
    }

    /// The environment's authorization that makes a connection with this id, or links it again: one that waits for its
    /// confirmation, otherwise the newest.
    pub async fn authorization_of_connection(
        &self,
        environment: &EnvironmentId,
        connection: &ConnectionId,
    ) -> Result<Option<Authorization>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM authorizations WHERE environment_id = $1 AND connection = $2 \
             ORDER BY CASE stage WHEN 'unconfirmed' THEN 0 ELSE 1 END, id DESC LIMIT 1"
        ));
        self.database.read_one(select.bind(environment).bind(connection)).await?.map(read).transpose()
    }

    /// The environment's authorizations of no connect session that wait for their confirmation at a moment, the oldest first, at
    /// most `limit`.
    pub async fn authorizations_to_confirm(
        &self,
        environment: &EnvironmentId,
        at: Timestamp,
        limit: u32,
    ) -> Result<Vec<Authorization>, StoreError> {
        let select = query(format!(
            "SELECT {COLUMNS} FROM authorizations WHERE environment_id = $1 AND stage = 'unconfirmed' \
             AND connect_session IS NULL AND expires_at > $2 ORDER BY id LIMIT $3"
        ));
        let rows = self.database.read(select.bind(environment).bind(at).bind(limit)).await?;
        rows.into_iter().map(read).collect()
    }

    /// The authorization whose link has the secret with this hash. (Takes no environment: the link says which one.)
    pub async fn authorization_to_start(
        &self,
        start_hash: &[u8],
    ) -> Result<Option<Authorization>, StoreError> {
        let select = query(format!("SELECT {COLUMNS} FROM authorizations WHERE start_hash = $1"));
        self.database.read_one(select.bind(start_hash)).await?.map(read).transpose()
    }

    /// Takes the authorization that a vendor's redirect is about: whoever comes second with the same state gets nothing,
    /// whatever became of the first. (Takes no environment: the state says which one.)
    pub async fn take_authorization(
        &self,
        state_hash: &[u8],
        at: Timestamp,
    ) -> Result<Option<Authorization>, StoreError> {
        let statement = query(format!(
            "UPDATE authorizations SET stage = 'answered', state_hash = NULL \
             WHERE state_hash = $1 AND stage = 'started' AND expires_at > $2 RETURNING {COLUMNS}"
        ));
        self.database.write(statement.bind(state_hash).bind(at)).await?.pop().map(read).transpose()
    }

    /// Counts a try to confirm an authorization with what a person typed; `false` when there were `limit` before, or it does
    /// not wait for its confirmation.
    pub async fn count_try(
        &self,
        environment: &EnvironmentId,
        id: &AuthorizationId,
        limit: u32,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let statement = query(
            "UPDATE authorizations SET tries = tries + 1 WHERE environment_id = $1 AND id = $2 AND tries < $3 \
             AND expires_at > $4 AND stage = 'unconfirmed'",
        );
        let statement = statement.bind(environment).bind(id).bind(limit).bind(at);
        Ok(self.database.execute(statement).await? == 1)
    }

    /// Forgets what authorizations that ended before `before` had sealed, and says how many had something. (Works on all
    /// environments.)
    pub async fn empty_authorizations(&self, before: Timestamp) -> Result<u64, StoreError> {
        let statement =
            query("UPDATE authorizations SET sealed = NULL WHERE expires_at < $1 AND sealed IS NOT NULL");
        self.database.execute(statement.bind(before)).await
    }

    /// Forgets at most `limit` authorizations that ended before `before`, and says how many. (Works on all environments.)
    pub async fn prune_authorizations(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM authorizations WHERE id IN (SELECT id FROM authorizations WHERE expires_at < $1 LIMIT $2)",
        );
        self.database.execute(statement.bind(before).bind(limit)).await
    }
}

fn read(mut row: Row) -> Result<Authorization, StoreError> {
    let mut authorization = Authorization {
        id: row.parsed()?,
        environment_id: row.parsed()?,
        oauth_client: row.parsed()?,
        connection: row.parsed()?,
        connect_session: None,
        links_again: None,
        socket_hash: None,
        browser_hash: row.optional_bytes()?,
        proof_hash: None,
        stage: row.parsed()?,
        draft: row.json()?,
        hosts: hosts::from_json(&row.text()?)?,
        sealed: row.optional_bytes()?.map(Sealed::from_bytes).transpose()?,
        sealed_version: row.counter()?,
        outcome: row.json()?,
        created_at: row.time()?,
        expires_at: row.time()?,
    };
    authorization.connect_session = row.optional_parsed()?;
    authorization.links_again = row.optional_integer()?.and_then(|version| version.try_into().ok());
    authorization.socket_hash = row.optional_bytes()?;
    authorization.proof_hash = row.optional_bytes()?;
    Ok(authorization)
}

pub(crate) async fn insert(act: &mut Act<'_>, new: &NewAuthorization) -> Result<(), StoreError> {
    if let Some((sealed, _)) = &new.sealed {
        count_sealed(act, &new.environment_id, sealed).await?;
    }
    let no_hosts = HostSet::default();
    let hosts = new.sealed.as_ref().map_or(&no_hosts, |(_, hosts)| hosts);
    let statement = query(
        "INSERT INTO authorizations (id, environment_id, oauth_client_id, connection, start_hash, stage, draft, hosts, \
         sealed_version, outcome, created_at, expires_at, connect_session, links_again, socket_hash, sealed) \
         VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $12, $13, 'null', $7, $8, $9, $10, $11, $14)",
    );
    let statement = statement
        .bind(&new.id)
        .bind(&new.environment_id)
        .bind(&new.oauth_client)
        .bind(&new.connection)
        .bind(new.start_hash.as_slice())
        .bind(&new.draft)
        .bind(act.at)
        .bind(new.expires_at)
        .bind(new.connect_session.as_ref())
        .bind(new.links_again.and_then(|version| i64::try_from(version).ok()))
        .bind(new.socket_hash.as_deref())
        .bind(hosts::to_json(hosts))
        .bind(new.sealed.as_ref().map_or(0, |_| NewAuthorization::SEALED_VERSION))
        .bind(new.sealed.as_ref().map(|(sealed, _)| sealed.as_bytes()));
    act.transaction.execute(statement).await.map(drop)
}

pub(crate) async fn step(act: &mut Act<'_>, step: &AuthorizationStep) -> Result<(), StoreError> {
    if let Some((sealed, ..)) = &step.sealed {
        count_sealed(act, &step.environment_id, sealed).await?;
    }
    let from: Vec<String> = step.from.iter().map(|stage| format!("'{}'", stage.as_str())).collect();
    let statement = query(format!(
        "UPDATE authorizations SET stage = $1, state_hash = $2, browser_hash = COALESCE($3, browser_hash), sealed = $4, \
         sealed_version = $5, hosts = $6, outcome = $7, expires_at = COALESCE($11, expires_at), proof_hash = $12 \
         WHERE environment_id = $8 AND id = $9 AND expires_at > $10 AND stage IN ({})",
        from.join(", ")
    ));
    let (state, browser) = step.started.as_ref().map(|(state, browser)| (&**state, &**browser)).unzip();
    let nowhere = HostSet::default();
    let (sealed, version, hosts) = match &step.sealed {
        Some((sealed, version, hosts)) => (Some(sealed.as_bytes()), *version, hosts),
        None => (None, 0, &nowhere),
    };
    let statement = statement
        .bind(step.stage.as_str())
        .bind(state)
        .bind(browser)
        .bind(sealed)
        .bind(version)
        .bind(hosts::to_json(hosts))
        .bind(&step.outcome)
        .bind(&step.environment_id)
        .bind(&step.id)
        .bind(act.at)
        .bind(step.expires_at)
        .bind(step.proof_hash.as_deref());
    match act.transaction.execute(statement).await? {
        1 => Ok(()),
        _ => Err(StoreError::version_conflict("authorization", &step.id)),
    }
}
