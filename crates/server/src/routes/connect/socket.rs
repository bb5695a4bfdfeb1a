//! The WebSocket over which a page learns what came of the window that it opened.

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::Extensions;
use axum::response::Response;
use http::Uri;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tombolo_platform::connect::Socket;

use crate::routes::Routes;
use crate::routes::access::{KeptPlace, Peer};
use crate::routes::envelope::unknown_route;
use crate::routes::refusal::Refusal;

/// A page does not wait longer than a person has at the vendor, and for a confirmation before.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(45);
/// A page opens its window at once; a socket that no window names after this long waits for nothing.
const NAMED_WITHIN: std::time::Duration = std::time::Duration::from_mins(1);
/// Often enough that nothing between closes a socket for its silence.
const BEAT: std::time::Duration = std::time::Duration::from_secs(25);

/// Tells a page what comes of the window that it opened
///
/// A WebSocket. The first message names the socket (`connection_ack` with `ws_client_id`), a later one tells the outcome
/// (`success` or `error`). Public: whoever has no window to wait for is told nothing.
#[utoipa::path(
    get, path = "/", operation_id = "openSocket", tag = "connect", security(()),
    responses((status = 101, description = "A WebSocket"))
)]
pub(super) async fn open_socket(
    State(routes): State<Routes>,
    uri: Uri,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    // There is nothing else at this path.
    let Ok(upgrade) = upgrade else { return Err(unknown_route(uri).await) };
    let address = match extensions.get() {
        Some(Peer::Network(address)) => Some(address.ip()),
        _ => None,
    };
    let socket = routes.platform.open_socket(address)?;
    let place = extensions.get::<KeptPlace>().cloned();
    // What a page says is not read, so it has no reason to say much.
    let upgrade = upgrade.max_message_size(1024).max_frame_size(1024);
    Ok(upgrade.on_upgrade(async move |page| {
        serve(page, socket).await;
        // The socket counts among all that are open until here.
        drop(place);
    }))
}

async fn serve(mut page: WebSocket, mut socket: Socket) {
    let hello = json!({ "message_type": "connection_ack", "ws_client_id": socket.id.expose_secret() });
    if page.send(Message::text(hello.to_string())).await.is_err() {
        return;
    }
    let mut beat = tokio::time::interval(BEAT);
    let mut to_be_named = std::pin::pin!(tokio::time::sleep(NAMED_WITHIN));
    let mut is_named = false;
    let waiting = async {
        loop {
            tokio::select! {
                news = socket.news.recv() => match news {
                    Some(news) => {
                        let text = json!(news).to_string();
                        if page.send(Message::text(text)).await.is_err() { return; }
                    }
                    None => return,
                },
                said = page.recv() => match said {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                },
                () = to_be_named.as_mut(), if !is_named => {
                    is_named = true;
                    if !socket.is_named().await { return; }
                }
                _ = beat.tick() => if page.send(Message::Ping(bytes::Bytes::new())).await.is_err() { return; },
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, waiting).await;
}
