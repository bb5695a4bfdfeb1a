//! The login, and the start page, which tells the session's request token.

use http::StatusCode;
use http::header::{LOCATION, SET_COOKIE};
use serde_json::json;

use super::{Visit, Words, escape, locale_of, page};
use crate::api::ApiError;
use crate::auth::{self, REQUEST_TOKEN, SESSION_COOKIE, count_login, session_of};
use crate::http::{Answer, Form};
use crate::model::Locale;

/// The fields of a login name and a password.
pub(crate) const LOGIN_FIELDS: Words = (
    "<label>Login name <input name=\"login_name\" autocomplete=\"username\" required></label>\n\
     <label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label>",
    "<label>ログイン名 <input name=\"login_name\" autocomplete=\"username\" required></label>\n\
     <label>パスワード <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label>",
);

const LOG_IN: Words = ("Log in", "ログイン");

/// The login name of a form that was filled in rightly. A wrong password is counted.
pub(crate) fn log_in(visit: &Visit<'_>, form: &Form) -> Result<String, Box<ApiError>> {
    let (name, password) =
        (form.get("login_name").unwrap_or_default(), form.get("password").unwrap_or_default());
    let certified_user = visit.world.certified_user(visit.slot, visit.request);
    let tenant = visit.slot.read();
    let result = auth::log_in(&tenant, name, password).and_then(|user| {
        auth::check_certificate(&tenant, user, certified_user.as_deref())?;
        Ok((user.code.clone(), user.wrong_passwords))
    });
    drop(tenant);
    match result {
        Ok((code, wrong)) => {
            if wrong > 0 {
                count_login(&mut visit.slot.write(), &code, false);
            }
            Ok(code)
        }
        Err(refused) => {
            if let Some(code) = &refused.wrong_password_of {
                count_login(&mut visit.slot.write(), code, true);
            }
            Err(refused.error)
        }
    }
}

/// `GET /login`: asks for login name and password.
pub(super) fn form(visit: &Visit<'_>, refused: Option<&ApiError>) -> Answer {
    let locale = locale_of(visit.request);
    let status = refused.map_or(StatusCode::OK, |error| error.status);
    let content = format!(
        "{}<form method=\"post\">\n{}\n<button>{}</button></form>",
        refused.map_or_else(String::new, |error| reason(error, locale)),
        locale.choose(LOGIN_FIELDS),
        locale.choose(LOG_IN),
    );
    page(status, locale, LOG_IN, &content)
}

/// `POST /login`: begins a session and leads to the start page.
pub(super) fn submit(visit: &Visit<'_>) -> Answer {
    let user = match log_in(visit, &Form::of_body(visit.request)) {
        Ok(user) => user,
        Err(error) => return form(visit, Some(&error)),
    };
    let identifiers = &visit.world.identifiers;
    let (id, token) = (identifiers.token("emulatorSession"), identifiers.token("emulatorRequestToken"));
    visit.slot.write().sessions.begin(id.clone(), &user, token, visit.now);
    Answer::html(StatusCode::FOUND, "302 Found", "You are logged in.")
        .with_header(LOCATION, "k/")
        .with_header(SET_COOKIE, &format!("{SESSION_COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax"))
}

/// `GET /k/`: what the pages of the service carry for their scripts. Without a session it leads to the login.
pub(super) fn start(visit: &Visit<'_>) -> Answer {
    let locale = locale_of(visit.request);
    let tenant = visit.slot.read();
    let Some((user, session)) = session_of(&tenant, visit.request, visit.now) else {
        return Answer::html(StatusCode::FOUND, "302 Found", "Log in first.")
            .with_header(LOCATION, "../login");
    };
    let data =
        json!({"LOGIN_USER": {"code": user.code, "name": user.name}, "REQUEST_TOKEN": session.request_token});
    let content = format!(
        "<p>{}</p>\n<p><code>{REQUEST_TOKEN}={}</code></p>\n<script>var cybozu = {{data: {}}};</script>",
        escape(&user.name),
        escape(&session.request_token),
        data.to_string().replace('<', "\\u003c"),
    );
    page(StatusCode::OK, locale, ("Start", "ポータル"), &content)
}

/// Why a login is refused, as a paragraph.
pub(crate) fn reason(error: &ApiError, locale: Locale) -> String {
    format!("<p role=\"alert\">{}</p>\n", escape(&error.text(locale)))
}
