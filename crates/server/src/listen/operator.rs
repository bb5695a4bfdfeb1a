//! The operator's socket: a file in the data directory. Whoever may open it is the operator, so no secret is kept.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::options::ServerError;
use super::thread::{end_within, serve};
use crate::front::Front;
use crate::routes::Peer;

/// Serves the operator's commands until the server stops, then removes the file.
pub(super) fn start(
    path: PathBuf,
    front: Arc<Front>,
    mut stopped: watch::Receiver<bool>,
    drain: Duration,
) -> Result<JoinHandle<()>, ServerError> {
    let failed = |source| ServerError::Socket { path: path.clone(), source };
    // The data directory is locked, so a file that is there is left over from a process that was killed.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(tokio::spawn(async move {
        let stopping = stopped.clone();
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                _ = stopped.wait_for(|stopped| *stopped) => break,
            };
            if let Ok((stream, _)) = accepted {
                connections.spawn(serve(
                    stream,
                    Arc::clone(&front),
                    (Peer::Operator, None),
                    stopping.clone(),
                ));
            }
        }
        end_within(drain, connections).await;
        // A file that cannot be removed is removed at the next start.
        let _ = std::fs::remove_file(&path);
    }))
}
