//! The page on which a user logs in and allows a client what it asks for, or does not.

use http::StatusCode;

use super::authorization::{AuthorizationRequest, Problem, redirect};
use crate::auth::{REQUEST_TOKEN, session_of};
use crate::browser::{LOGIN_FIELDS, Visit, Words, escape, locale_of, log_in, page, reason};
use crate::http::{Answer, Form};
use crate::model::{Grant, Locale};

const TITLE: Words = ("Allow access?", "アクセスを許可しますか？");
const REFUSED: Words = ("The request was refused", "リクエストを受け付けられません");
const NOT_ENABLED: Words = (
    "This OAuth client is not enabled for you. Ask an administrator to switch it on for you in its settings.",
    "このOAuthクライアントの利用が許可されていません。管理者に、利用ユーザーの設定を依頼してください。",
);
const STALE: Words = (
    "The page has expired. Open it again.",
    "ページの有効期限が切れています。再度ページを表示してください。",
);

/// `GET /oauth2/authorization`: shows who asks for what.
pub(crate) fn ask(visit: &Visit<'_>) -> Answer {
    match read(visit) {
        Ok(asked) => form(visit, &asked, StatusCode::OK, ""),
        Err(answer) => *answer,
    }
}

/// `POST /oauth2/authorization`: the form of that page, at the same address with the same query.
pub(crate) fn decide(visit: &Visit<'_>) -> Answer {
    let asked = match read(visit) {
        Ok(asked) => asked,
        Err(answer) => return *answer,
    };
    let locale = locale_of(visit.request);
    let input = Form::of_body(visit.request);
    match input.get("decision") {
        Some("allow") => {}
        Some("deny") => return redirect(&asked.denied()),
        _ => return form(visit, &asked, StatusCode::BAD_REQUEST, ""),
    }
    let user = match who(visit, &input) {
        Ok(user) => user,
        Err((status, notice)) => return form(visit, &asked, status, &notice),
    };
    if !asked.client.is_enabled_for(&user) {
        return page(StatusCode::FORBIDDEN, locale, REFUSED, &paragraph(locale.choose(NOT_ENABLED)));
    }
    let code = visit.world.identifiers.token("emulatorCode");
    let location = asked.granted(&code);
    let grant = Grant { client: asked.client.id, user, scopes: asked.scopes };
    let mut tenant = visit.slot.write();
    tenant.oauth_grants.keep_code(code, grant, asked.redirect_uri, asked.challenge, visit.now);
    redirect(&location)
}

/// Who decides: the user who logs in with the form, or the one who is logged in already.
fn who(visit: &Visit<'_>, input: &Form) -> Result<String, (StatusCode, String)> {
    let locale = locale_of(visit.request);
    let Some(token) = input.get(REQUEST_TOKEN) else {
        return log_in(visit, input).map_err(|error| (error.status, reason(&error, locale)));
    };
    let tenant = visit.slot.read();
    let session = session_of(&tenant, visit.request, visit.now);
    let session = session.filter(|(_, session)| token == session.request_token);
    let stale = || (StatusCode::BAD_REQUEST, paragraph(locale.choose(STALE)));
    session.map(|(user, _)| user.code.clone()).ok_or_else(stale)
}

fn read(visit: &Visit<'_>) -> Result<AuthorizationRequest, Box<Answer>> {
    let problem = match AuthorizationRequest::read(&visit.slot.read(), &Form::of_query(visit.request)) {
        Ok(asked) => return Ok(asked),
        Err(problem) => problem,
    };
    Err(Box::new(match problem {
        Problem::Redirect(location) => redirect(&location),
        Problem::Page(words) => {
            let locale = locale_of(visit.request);
            page(StatusCode::BAD_REQUEST, locale, REFUSED, &paragraph(locale.choose(words)))
        }
    }))
}

fn form(visit: &Visit<'_>, asked: &AuthorizationRequest, status: StatusCode, notice: &str) -> Answer {
    let locale = locale_of(visit.request);
    let tenant = visit.slot.read();
    let who = match session_of(&tenant, visit.request, visit.now) {
        Some((user, session)) => format!(
            "<p>{}</p>\n<input type=\"hidden\" name=\"{REQUEST_TOKEN}\" value=\"{}\">",
            escape(&user.name),
            escape(&session.request_token),
        ),
        None => locale.choose(LOGIN_FIELDS).to_owned(),
    };
    let scopes: Vec<&str> = asked.scopes.iter().map(|scope| scope.name()).collect();
    let scopes = scopes.join("</code></li><li><code>");
    let (asks, allow, deny) = match locale {
        Locale::En => ("asks for:", "Allow", "Deny"),
        Locale::Ja => ("が次の権限を求めています。", "許可", "拒否"),
    };
    let content = format!(
        "{notice}<p><strong>{}</strong> {asks}</p>\n<ul><li><code>{scopes}</code></li></ul>\n<form method=\"post\">\n{who}\n\
         <button name=\"decision\" value=\"allow\">{allow}</button>\
         <button name=\"decision\" value=\"deny\" formnovalidate>{deny}</button></form>",
        escape(&asked.client.name),
    );
    page(status, locale, TITLE, &content)
}

fn paragraph(text: &str) -> String {
    format!("<p role=\"alert\">{}</p>\n", escape(text))
}
