use serde_json::Value as Json;

use crate::commit::Act;
use crate::database::query;
use crate::error::StoreError;
use crate::id::generate_text;
use crate::store::Store;
use crate::timestamp::Timestamp;

/// Something to tell a browser's socket, which another process may hold.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketMessage {
    /// The hash of the secret that names the socket.
    pub socket_hash: Vec<u8>,
    /// What to tell: a JSON object without secrets.
    pub message: Json,
    /// When it is told, at the earliest.
    pub due_at: Timestamp,
}

impl Store {
    /// Takes what is to be told to any of these sockets by now, oldest first: nobody gets it a second time. (Takes no
    /// environment: whoever knows a socket's hash holds the socket.)
    pub async fn take_socket_messages(
        &self,
        sockets: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<Vec<SocketMessage>, StoreError> {
        let numbers: Vec<String> = (2..sockets.len() + 2).map(|number| format!("${number}")).collect();
        let list = numbers.join(", ");
        let select = query(format!(
            "SELECT id FROM socket_messages WHERE due_at <= $1 AND socket_hash IN ({list}) LIMIT 1"
        ));
        let select = sockets.iter().fold(select.bind(now), |select, socket| select.bind(socket.as_slice()));
        // Looking is cheap and is done twice a second; taking needs the only writer.
        if sockets.is_empty() || self.database.read_one(select).await?.is_none() {
            return Ok(Vec::new());
        }
        let statement = query(format!(
            "DELETE FROM socket_messages WHERE due_at <= $1 AND socket_hash IN ({list}) \
             RETURNING id, socket_hash, message, due_at"
        ));
        let statement =
            sockets.iter().fold(statement.bind(now), |statement, socket| statement.bind(socket.as_slice()));
        let mut taken = Vec::new();
        for mut row in self.database.write(statement).await? {
            let id = row.text()?;
            let (socket_hash, message, due_at) = (row.bytes()?, row.json()?, row.time()?);
            taken.push((id, SocketMessage { socket_hash, message, due_at }));
        }
        taken.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(taken.into_iter().map(|(_, message)| message).collect())
    }

    /// Forgets at most `limit` messages that nobody took and that are older than `before`, and says how many. (Works on all
    /// environments.)
    pub async fn prune_socket_messages(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statement = query(
            "DELETE FROM socket_messages WHERE id IN \
             (SELECT id FROM socket_messages WHERE created_at < $1 LIMIT $2)",
        );
        self.database.execute(statement.bind(before).bind(limit)).await
    }
}

/// What comes takes the place of what was to be told to the socket later.
pub(crate) async fn insert(act: &mut Act<'_>, new: &SocketMessage) -> Result<(), StoreError> {
    let id = generate_text("skm_", act.at, act.random)?;
    let later = query("DELETE FROM socket_messages WHERE socket_hash = $1 AND due_at > $2");
    act.transaction.execute(later.bind(new.socket_hash.as_slice()).bind(act.at)).await?;
    let statement = query(
        "INSERT INTO socket_messages (id, socket_hash, message, created_at, due_at) VALUES ($1, $2, $3, $4, $5)",
    );
    let statement = statement.bind(id).bind(new.socket_hash.as_slice()).bind(&new.message);
    let statement = statement.bind(act.at).bind(new.due_at);
    act.transaction.execute(statement).await.map(drop)
}
