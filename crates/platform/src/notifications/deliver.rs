//! Tells one recipient whatever is due: the work of one job.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Method, Request};
use tombolo_catalog::Language;
use tombolo_egress::Body;
use tombolo_store::{
    Change, Channel, ClaimedJob, Connection, DueNotice, NoticeKind, NotificationChange, Recipient, Timestamp,
    Told,
};

use super::decision::Decision;
use super::recipients::{ADDRESS, language_of, place_of};
use super::words::{Item, SHOWN_MAX, ToConfirm, Written, written};
use super::{chat, words};
use crate::oauth::hash;
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// How long a recipient has peace after a message: what comes meanwhile is told together.
const PACE: Duration = Duration::from_mins(10);
/// News that one message tells of at most; the others come with the next one.
const STEP: u32 = 500;
/// The tag of an end user that says which language the person reads.
const LANGUAGE_TAG: &str = "language";

/// News that are told, and where.
struct Telling {
    notice: DueNotice,
    connection: Connection,
    address: String,
    language: Language,
}

impl Platform {
    /// Tells what is due to the job's recipient, and says when there is more to do.
    pub(crate) async fn notify(&self, job: &ClaimedJob) -> Result<Option<Timestamp>, Problem> {
        let (Some(environment), Some(id)) = (&job.job.environment_id, job.job.payload["recipient"].as_str())
        else {
            return Ok(None);
        };
        let Some(recipient) = self.store.recipient(environment, id).await? else { return Ok(None) };
        if recipient.disabled_at.is_some() {
            return Ok(None);
        }
        let now = self.now();
        // People whose connections fail at the same time do not wait for each other.
        let paced = recipient.sent_at.filter(|_| recipient.channel != Channel::EndUserMail);
        let peace = paced.map(|sent| sent.plus(PACE)).filter(|until| *until > now);
        let mut messages: BTreeMap<String, Vec<Telling>> = BTreeMap::new();
        for telling in self.to_tell(&recipient, now).await? {
            // Whoever confirms has little time.
            if peace.is_none() || telling.notice.kind == NoticeKind::Unconfirmed {
                messages.entry(telling.address.clone()).or_default().push(telling);
            }
        }
        let (mut sent, mut failure) = (false, None);
        for (address, tellings) in messages {
            match self.tell(&recipient, &address, &tellings).await {
                Ok(()) => sent = true,
                // One mailbox that does not work keeps no other waiting.
                Err(problem) => failure = Some(problem),
            }
        }
        if let Some(problem) = failure {
            return Err(problem);
        }
        let next = self.store.next_notice_at(&recipient.id).await?;
        let is_paced = recipient.channel != Channel::EndUserMail;
        let peace = if sent && is_paced { Some(now.plus(PACE)) } else { peace };
        Ok(next.map(|next| peace.map_or(next, |peace| next.max(peace))))
    }

    /// What of the news that are due is told now. What is no news is noted, and what has time is put off.
    async fn to_tell(&self, recipient: &Recipient, now: Timestamp) -> Result<Vec<Telling>, Problem> {
        let (mut tellings, mut changes) = (Vec::new(), Vec::new());
        for notice in self.store.due_notices(&recipient.id, now, STEP).await? {
            let found = self.store.connection(&recipient.environment_id, &notice.connection).await?;
            let whom = found.and_then(|connection| {
                let (address, language) = whom(recipient, &connection)?;
                Some((connection, address, language))
            });
            match (Decision::about(&notice, recipient.channel, now), whom) {
                (Decision::Tell, Some((connection, address, language))) => {
                    tellings.push(Telling { notice, connection, address, language });
                }
                (Decision::Wait(until), Some(_)) => {
                    let connection = notice.connection;
                    changes.push(NotificationChange::PutOff(recipient.id.clone(), connection, until));
                }
                _ => changes.push(told(recipient, &notice, None)),
            }
        }
        if !changes.is_empty() {
            self.commit(&changes.into_iter().map(Change::Notification).collect::<Vec<_>>()).await?;
        }
        Ok(tellings)
    }

    /// Sends one message, and notes what it told.
    async fn tell(&self, recipient: &Recipient, address: &str, tellings: &[Telling]) -> Result<(), Problem> {
        let Some(first) = tellings.first() else { return Ok(()) };
        let (mut items, mut links) = (Vec::new(), Vec::new());
        for (position, telling) in tellings.iter().enumerate() {
            let (item, link) = self.item(telling, position < SHOWN_MAX).await?;
            items.push(item);
            links.extend(link);
        }
        // Before anybody can open them.
        if !links.is_empty() {
            self.commit(&links).await?;
        }
        let environment = self.store.environment(&recipient.environment_id).await?;
        let environment = environment.map(|environment| environment.name).unwrap_or_default();
        let message = written(&environment, &items, first.language);
        let id = message_id(recipient, tellings);
        let outcome = self.send_to(recipient, address, &message, &items, &id).await;
        let is_told = match outcome {
            Ok(()) => true,
            Err(NotTaken { is_final: true, problem }) if recipient.channel == Channel::EndUserMail => {
                tracing::warn!(%problem, recipient = %recipient.id, "an end user could not be told");
                false
            }
            Err(NotTaken { problem, .. }) => return Err(problem),
        };
        let mut changes: Vec<Change> = tellings
            .iter()
            .map(|telling| told(recipient, &telling.notice, is_told.then_some(telling.notice.kind)))
            .map(Change::Notification)
            .collect();
        let (environment, id) = (recipient.environment_id.clone(), recipient.id.clone());
        changes.push(Change::Notification(NotificationChange::Sent(environment, id)));
        self.commit(&changes).await.map(drop)
    }

    /// One connection as the message tells of it, and its link.
    async fn item(&self, telling: &Telling, is_shown: bool) -> Result<(Item, Option<Change>), Problem> {
        let Telling { notice, connection, language, .. } = telling;
        let integration =
            self.store.integration_by_id(&connection.environment_id, &connection.integration_id).await?;
        let provider_id = integration.map(|integration| integration.provider).unwrap_or_default();
        let provider = match self.catalog.get(&provider_id) {
            Some(provider) => provider.name.clone(),
            None => tombolo_catalog::Text { en: provider_id.clone(), ja: provider_id.clone() },
        };
        let fails = matches!(notice.kind, NoticeKind::Failing | NoticeKind::NeedsReconnecting);
        let mends = fails || notice.kind == NoticeKind::Expiring;
        let made = if mends && is_shown { self.new_reconnect_link(connection, *language)? } else { None };
        let (link, change) = made.unzip();
        let to_confirm =
            if notice.kind == NoticeKind::Unconfirmed { self.to_confirm_of(connection).await? } else { None };
        let item = Item {
            id: connection.id.to_string(),
            name: connection.name.clone(),
            provider_id,
            provider,
            kind: notice.kind,
            days_left: notice.days_left,
            reason: reason(connection, *language).filter(|_| fails),
            link,
            to_confirm,
        };
        Ok((item, change))
    }

    async fn to_confirm_of(&self, connection: &Connection) -> Result<Option<ToConfirm>, Problem> {
        let newest =
            self.store.authorization_of_connection(&connection.environment_id, &connection.id).await?;
        let Some(newest) = newest else { return Ok(None) };
        let end_user = self.end_user_to_confirm(&newest).await?;
        let environment = self.store.environment(&connection.environment_id).await?;
        let page = self.public_url.get().zip(environment).map(|(public_url, environment)| {
            format!("{public_url}/dashboard/{}/connections/confirm", environment.name)
        });
        Ok(Some(ToConfirm::of(newest.id.as_str(), end_user.as_deref()).with_page(page)))
    }

    /// Sends a message to where a recipient is reached. `id` names it, should it arrive twice.
    pub(super) async fn send_to(
        &self,
        recipient: &Recipient,
        address: &str,
        message: &Written,
        items: &[Item],
        id: &str,
    ) -> Result<(), NotTaken> {
        let Some(body) = chat::body(recipient.channel, message, items) else {
            let mailer = self.mailer.as_ref().ok_or_else(no_mail_server)?;
            return mailer.send(address, message, id, self.now()).await.map_err(|not_sent| {
                let problem = not_told(&format!("the mail server: {}", not_sent.why));
                NotTaken { is_final: not_sent.is_final, problem }
            });
        };
        let mut request = Request::new(Body::full(body.to_string()));
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("tombolo/", env!("CARGO_PKG_VERSION"))));
        let url = self.chat_url(recipient).await.map_err(|problem| NotTaken { is_final: false, problem })?;
        // Whatever goes wrong, the address is not repeated: it is a secret.
        self.post_once(&url, request)
            .await
            .map_err(|why| NotTaken { is_final: false, problem: not_told(&format!("the chat: {why}")) })
    }

    async fn chat_url(&self, recipient: &Recipient) -> Result<String, Problem> {
        let gone = || not_told("its address is missing; give it again with `tombolo notification update`");
        let sealed = recipient.sealed.clone().ok_or_else(gone)?;
        let opened = self.safe.stored(&self.store, place_of(recipient), sealed).await?.open()?;
        opened.value(ADDRESS).map(str::to_owned).ok_or_else(gone)
    }

    /// Sends a test message and says what came of it.
    pub(super) async fn send_test(&self, recipient: &Recipient) -> Result<(), Problem> {
        let environment = self.store.environment(&recipient.environment_id).await?;
        let environment = environment.map(|environment| environment.name).unwrap_or_default();
        let message = words::test(&environment, language_of(&recipient.language));
        let id = format!("{}-{}", recipient.id, self.now().as_milliseconds());
        let sent = self.send_to(recipient, &recipient.address, &message, &[], &id).await;
        sent.map_err(|not_taken| not_taken.problem)
    }
}

/// Why a message was not taken.
pub(super) struct NotTaken {
    is_final: bool,
    problem: Problem,
}

/// Where a recipient is told about a connection, and in which language; `None` for nobody.
fn whom(recipient: &Recipient, connection: &Connection) -> Option<(String, Language)> {
    let language = language_of(&recipient.language);
    if recipient.channel != Channel::EndUserMail {
        return Some((recipient.address.clone(), language));
    }
    let user = connection.end_user.as_ref()?;
    let address = user.email.clone().filter(|address| !address.is_empty())?;
    let own = user.tags.get(LANGUAGE_TAG).map(|tag| Language::negotiate(tag));
    Some((address, own.unwrap_or(language)))
}

/// What is known of the reason, if there is a text in the language.
fn reason(connection: &Connection, language: Language) -> Option<String> {
    let detail = &connection.health_detail;
    let code = match language {
        Language::En => "en",
        Language::Ja => "ja",
    };
    for part in ["renewal", "test"] {
        if detail[part].is_object() {
            let known = &detail[part];
            // These texts are for administrators, and in English alone.
            let what = known["what"].as_str().filter(|_| language == Language::En)?;
            return Some(format!("{what}. {}", known["fix"].as_str().unwrap_or_default()));
        }
    }
    let says = detail["verdict"]["says"][code].as_str()?;
    let fix = detail["verdict"]["fix"][code].as_str().unwrap_or_default();
    Some(format!("{says} {fix}").trim_end().to_owned())
}

fn told(recipient: &Recipient, notice: &DueNotice, kind: Option<NoticeKind>) -> NotificationChange {
    NotificationChange::Told(Told {
        recipient: recipient.id.clone(),
        connection: notice.connection.clone(),
        kind,
        happened_at: notice.happened_at,
    })
}

/// The same news are the same message: a server that was killed before it could note them sends them again.
fn message_id(recipient: &Recipient, tellings: &[Telling]) -> String {
    let news = tellings.iter().map(|Telling { notice, .. }| {
        format!("{} {} {}", notice.connection, notice.kind, notice.happened_at.as_milliseconds())
    });
    let all: Vec<String> = std::iter::once(recipient.id.to_string()).chain(news).collect();
    URL_SAFE_NO_PAD.encode(&hash(&all.join(" "))[..16])
}

fn not_told(why: &str) -> Problem {
    let fix = "Try again with `tombolo notification test`.";
    Problem::new(ProblemKind::Upstream, "not_told", format!("The message was not taken by {why}"), fix)
}

fn no_mail_server() -> NotTaken {
    let what = "There is no mail server to send with";
    let fix = "Have the operator name one in the configuration: mail.host.";
    let problem = Problem::new(ProblemKind::Unusable, "no_mail_server", what, fix);
    NotTaken { is_final: false, problem }
}
