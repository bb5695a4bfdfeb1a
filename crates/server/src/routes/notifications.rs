//! Notifications: whom an environment tells about the health of its connections.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use tombolo_api::{
    CreateNotificationRecipient, NotificationChannel, NotificationKind, NotificationLanguage,
    NotificationRecipient, NotificationRecipients, Success, UpdateNotificationRecipient,
};
use tombolo_platform::catalog::Language;
use tombolo_platform::notifications::{Channel, NoticeKind, RecipientChanges, RecipientDraft};
use tombolo_platform::store::Recipient;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::body::Body;
use super::caller::Caller;
use super::moment::moment;
use super::query::{Named, NoParameters, Query};
use super::refusal::Refusal;
use super::right::{ManageNotifications, ReadNotifications};

pub(super) fn routes() -> OpenApiRouter<Routes> {
    OpenApiRouter::new()
        .routes(routes!(list_recipients, create_recipient))
        .routes(routes!(read_recipient, update_recipient, delete_recipient))
        .routes(routes!(test_recipient))
}

/// Lists recipients
///
/// Whom the environment tells about the health of its connections. Scope: `environment:notifications:read`.
#[utoipa::path(
    get, path = "/notification-recipients", operation_id = "listNotificationRecipients", tag = "notifications",
    responses((status = 200, description = "The recipients", body = NotificationRecipients))
)]
async fn list_recipients(
    State(routes): State<Routes>,
    caller: Caller<ReadNotifications>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<NotificationRecipients>, Refusal> {
    let found = routes.platform.list_recipients(&caller.access).await?;
    Ok(Json(NotificationRecipients { recipients: found.iter().map(recipient).collect() }))
}

/// Makes a recipient
///
/// Nothing is sent yet. Scope: `environment:notifications:manage`.
#[utoipa::path(
    post, path = "/notification-recipients", operation_id = "createNotificationRecipient", tag = "notifications",
    request_body = CreateNotificationRecipient,
    responses((status = 201, description = "The recipient", body = NotificationRecipient))
)]
async fn create_recipient(
    State(routes): State<Routes>,
    caller: Caller<ManageNotifications>,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<CreateNotificationRecipient>,
) -> Result<(StatusCode, Json<NotificationRecipient>), Refusal> {
    let draft = RecipientDraft {
        name: body.name,
        channel: stored_channel(body.channel),
        address: body.address.map(Into::into),
        language: stored_language(body.language),
        kinds: body.kinds.into_iter().map(stored_kind).collect(),
    };
    let made = routes.platform.create_recipient(&caller.access, draft).await?;
    Ok((StatusCode::CREATED, Json(recipient(&made))))
}

/// Shows a recipient
///
/// Never shows the address of a chat. Scope: `environment:notifications:read`.
#[utoipa::path(
    get, path = "/notification-recipients/{reference}", operation_id = "readNotificationRecipient", tag = "notifications",
    params(("reference" = String, Path, description = "Id or name")),
    responses((status = 200, description = "The recipient", body = NotificationRecipient))
)]
async fn read_recipient(
    State(routes): State<Routes>,
    caller: Caller<ReadNotifications>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<NotificationRecipient>, Refusal> {
    Ok(Json(recipient(&routes.platform.read_recipient(&caller.access, &reference).await?)))
}

/// Changes a recipient
///
/// Its channel stays. Scope: `environment:notifications:manage`.
#[utoipa::path(
    patch, path = "/notification-recipients/{reference}", operation_id = "updateNotificationRecipient", tag = "notifications",
    params(("reference" = String, Path, description = "Id or name")), request_body = UpdateNotificationRecipient,
    responses((status = 200, description = "The recipient as it is now", body = NotificationRecipient))
)]
async fn update_recipient(
    State(routes): State<Routes>,
    caller: Caller<ManageNotifications>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
    Body(body): Body<UpdateNotificationRecipient>,
) -> Result<Json<NotificationRecipient>, Refusal> {
    let change = RecipientChanges {
        name: body.name,
        address: body.address.map(Into::into),
        language: body.language.map(stored_language),
        kinds: body.kinds.map(|kinds| kinds.into_iter().map(stored_kind).collect()),
        enabled: body.enabled,
    };
    Ok(Json(recipient(&routes.platform.update_recipient(&caller.access, &reference, change).await?)))
}

/// Deletes a recipient
///
/// What it was to be told is forgotten. Scope: `environment:notifications:manage`.
#[utoipa::path(
    delete, path = "/notification-recipients/{reference}", operation_id = "deleteNotificationRecipient", tag = "notifications",
    params(("reference" = String, Path, description = "Id or name")),
    responses((status = 200, description = "The recipient is gone", body = Success))
)]
async fn delete_recipient(
    State(routes): State<Routes>,
    caller: Caller<ManageNotifications>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<Success>, Refusal> {
    routes.platform.delete_recipient(&caller.access, &reference).await?;
    Ok(Json(Success { success: true }))
}

/// Sends a test message
///
/// At once, and the answer says why it was not taken. Scope: `environment:notifications:manage`.
#[utoipa::path(
    post, path = "/notification-recipients/{reference}/test", operation_id = "testNotificationRecipient", tag = "notifications",
    params(("reference" = String, Path, description = "Id or name")),
    responses((status = 200, description = "It was taken", body = NotificationRecipient))
)]
async fn test_recipient(
    State(routes): State<Routes>,
    caller: Caller<ManageNotifications>,
    Named(reference): Named,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Json<NotificationRecipient>, Refusal> {
    Ok(Json(recipient(&routes.platform.test_recipient(&caller.access, &reference).await?)))
}

fn recipient(recipient: &Recipient) -> NotificationRecipient {
    NotificationRecipient {
        id: recipient.id.to_string(),
        name: recipient.name.clone(),
        channel: match recipient.channel {
            Channel::Mail => NotificationChannel::Mail,
            Channel::EndUserMail => NotificationChannel::EndUserMail,
            Channel::Slack => NotificationChannel::Slack,
            Channel::Teams => NotificationChannel::Teams,
            Channel::Discord => NotificationChannel::Discord,
            Channel::Json => NotificationChannel::Json,
        },
        address: recipient.address.clone(),
        language: match Language::negotiate(&recipient.language) {
            Language::En => NotificationLanguage::En,
            Language::Ja => NotificationLanguage::Ja,
        },
        kinds: recipient.kinds.iter().filter_map(|kind| kind.parse().ok()).map(wire_kind).collect(),
        enabled: recipient.disabled_at.is_none(),
        disabled_at: recipient.disabled_at.map(moment),
        sent_at: recipient.sent_at.map(moment),
        version: recipient.version,
        created_at: moment(recipient.created_at),
        updated_at: moment(recipient.updated_at),
    }
}

fn stored_channel(channel: NotificationChannel) -> Channel {
    match channel {
        NotificationChannel::Mail => Channel::Mail,
        NotificationChannel::EndUserMail => Channel::EndUserMail,
        NotificationChannel::Slack => Channel::Slack,
        NotificationChannel::Teams => Channel::Teams,
        NotificationChannel::Discord => Channel::Discord,
        NotificationChannel::Json => Channel::Json,
    }
}

fn stored_language(language: NotificationLanguage) -> Language {
    match language {
        NotificationLanguage::En => Language::En,
        NotificationLanguage::Ja => Language::Ja,
    }
}

fn stored_kind(kind: NotificationKind) -> NoticeKind {
    match kind {
        NotificationKind::Mended => NoticeKind::Mended,
        NotificationKind::Expiring => NoticeKind::Expiring,
        NotificationKind::Failing => NoticeKind::Failing,
        NotificationKind::NeedsReconnecting => NoticeKind::NeedsReconnecting,
        NotificationKind::Unconfirmed => NoticeKind::Unconfirmed,
    }
}

fn wire_kind(kind: NoticeKind) -> NotificationKind {
    match kind {
        NoticeKind::Mended => NotificationKind::Mended,
        NoticeKind::Expiring => NotificationKind::Expiring,
        NoticeKind::Failing => NotificationKind::Failing,
        NoticeKind::NeedsReconnecting => NotificationKind::NeedsReconnecting,
        NoticeKind::Unconfirmed => NotificationKind::Unconfirmed,
    }
}
