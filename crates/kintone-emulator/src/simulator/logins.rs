//! Logins, the pages where people agree, temporary credentials and roles of a simulated provider.

use std::collections::BTreeMap;

use http::StatusCode;
use http::header::{LOCATION, SET_COOKIE};
use serde_json::{Value, json};
use tombolo_catalog::{
    AuthScheme, AwsSigV4, Document, ExpiryForm, Expression, ExpressionValue, Login, LoginStep, OAuth1,
    OAuth2, Provider, SchemeKind, StepFormat,
};

use super::accepted::{AcceptedCredential, oauth1_signer};
use super::expected::Expected;
use super::signed::{AwsKey, Signer, is_signed_by, is_signed_by_aws, is_signed_token, oauth1_parameters};
use super::token::{LIFE, parameters, put};
use crate::faults::fits;
use crate::http::{Answer, Request};
use crate::world::World;

/// The code that every person gets who agrees.
pub(super) const CODE: &str = "simulated-code";
const TEMPORARY: &str = "simulated-temporary";
const TEMPORARY_SECRET: &str = "simulated-temporary-secret";
const VERIFIER: &str = "simulated-verifier";

/// The sample account as those see it who give out tokens.
pub(super) struct Account<'a> {
    pub(super) provider: &'a Provider,
    pub(super) accepted: &'a [AcceptedCredential],
    pub(super) config: &'a BTreeMap<String, String>,
    pub(super) world: &'a World,
}

impl Account<'_> {
    /// The answer to a request for a token or to a person; `None` when the request is about something else.
    pub(super) fn answer(&self, request: &Request) -> Option<Answer> {
        self.provider.auth.iter().find_map(|scheme| {
            let page = scheme.authorization_url().filter(|page| url_fits(page.source(), request));
            if request.method == http::Method::GET && page.is_some() {
                return Some(self.agree(scheme, request));
            }
            match &scheme.kind {
                SchemeKind::Login { login, .. } => self.logged_in(scheme, login, request),
                SchemeKind::OAuth1(oauth1) => self.tokens(scheme, oauth1, request),
                SchemeKind::AwsSigV4(aws) => self.role(scheme, aws, request),
                _ => None,
            }
        })
    }

    /// Everybody agrees at once.
    fn agree(&self, scheme: &AuthScheme, request: &Request) -> Answer {
        let given: BTreeMap<String, String> =
            url::form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
        let renamed =
            |name: &str| match scheme.oauth2().and_then(|oauth2| oauth2.authorization_names.get(name)) {
                Some(other) => given.get(other),
                None => given.get(name),
            };
        let mut pairs = Vec::new();
        let back = if let Some(oauth2) = scheme.oauth2() {
            pairs.push((oauth2.code_parameter.clone(), CODE.to_owned()));
            let state_name = oauth2.authorization_names.get("state").map_or("state", String::as_str);
            pairs.extend(renamed("state").map(|state| (state_name.to_owned(), state.clone())));
            pairs.extend(oauth2.redirect_config.values().map(|name| (name.clone(), "sample".to_owned())));
            renamed("redirect_uri").cloned()
        } else {
            pairs.extend(
                [("oauth_token", TEMPORARY), ("oauth_verifier", VERIFIER)]
                    .map(|(name, value)| (name.to_owned(), value.to_owned())),
            );
            self.told_callback()
        };
        let back = back.unwrap_or_default();
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let separator = if back.contains('?') { '&' } else { '?' };
        let location = format!("{back}{separator}{query}");
        Answer::html(StatusCode::FOUND, "302", "You agreed.").with_header(LOCATION, &location)
    }

    /// Where people go back to, as the last request for temporary credentials told.
    fn told_callback(&self) -> Option<String> {
        let told = self.world.log().list().into_iter().rev().find_map(|seen| {
            let (_, rest) = seen.header("authorization")?.split_once("oauth_callback=\"")?;
            Some(rest.split('"').next()?.to_owned())
        })?;
        Some(percent_encoding::percent_decode_str(&told).decode_utf8_lossy().into_owned())
    }

    fn known(&self, scheme: &AuthScheme) -> impl Iterator<Item = &AcceptedCredential> {
        self.accepted.iter().filter(move |credential| credential.scheme == scheme.id)
    }

    /// The answer of a login's step. A step is refused where it lacks what was typed.
    fn logged_in(&self, scheme: &AuthScheme, login: &Login, request: &Request) -> Option<Answer> {
        let fitting: Vec<(usize, &LoginStep)> = login
            .all_steps()
            .enumerate()
            .filter(|(_, step)| {
                let is_get = step.format == StepFormat::Query;
                (request.method == http::Method::GET) == is_get
                    && url_fits(step.url.expression.source(), request)
            })
            .collect();
        if fitting.is_empty() {
            return None;
        }
        for credential in self.known(scheme) {
            let found = fitting.iter().find(|(_, step)| self.is_taken(step, login, credential, request));
            if let Some((number, _)) = found {
                return Some(answer_of(*number, login, credential, request));
            }
        }
        let refusal = json!({ "error": "invalid_client", "error_description": "The login is refused." });
        Some(Answer::json(&refusal).with_status(StatusCode::UNAUTHORIZED))
    }

    fn is_taken(
        &self,
        step: &LoginStep,
        login: &Login,
        credential: &AcceptedCredential,
        request: &Request,
    ) -> bool {
        let mut expected = Expected::new(self.config, &credential.fields, request);
        for (name, text) in &step.headers {
            if let Some(given) = request.header(name) {
                expected.learn(text, given);
            }
        }
        let headers_fit = step.headers.iter().all(|(name, text)| match request.header(name) {
            Some(given) => expected.fits(text, given),
            None => text.values().iter().any(|value| matches!(value, ExpressionValue::Config(_))),
        });
        let given = Value::Object(parameters(request));
        let assertion = find_assertion(step, &given, request);
        let is_signed = match (&login.assertion, assertion) {
            (Some(jwt), Some(token)) => is_signed_token(jwt, &token, &expected),
            _ => true,
        };
        headers_fit
            && is_signed
            && expected.is_document(&step.parameters, &given)
            && query_fits(step, &expected, request)
    }

    /// Temporary credentials and tokens of OAuth 1.0a.
    fn tokens(&self, scheme: &AuthScheme, oauth1: &OAuth1, request: &Request) -> Option<Answer> {
        let is = |url: &Option<tombolo_catalog::Template>| {
            url.as_ref().is_some_and(|url| url_fits(url.source(), request))
        };
        let (asks, gets) = (is(&oauth1.request_url), is(&oauth1.token_url));
        if !asks && !gets {
            return None;
        }
        let given = oauth1_parameters(request).unwrap_or_default();
        let known = self.known(scheme).find(|credential| {
            let own = oauth1_signer(credential);
            let (token, token_secret) = if asks { ("", "") } else { (TEMPORARY, TEMPORARY_SECRET) };
            is_signed_by(oauth1, &Signer { token, token_secret, ..own }, &given, request)
        });
        let Some(known) = known else {
            return Some(Answer::html(StatusCode::UNAUTHORIZED, "401", "The signature is not good."));
        };
        let pairs = if asks {
            [
                ("oauth_token", TEMPORARY),
                ("oauth_token_secret", TEMPORARY_SECRET),
                ("oauth_callback_confirmed", "true"),
            ]
        } else if given.get("oauth_verifier").map(String::as_str) == Some(VERIFIER) {
            let [token, secret] = [OAuth1::TOKEN, OAuth1::TOKEN_SECRET].map(|name| known.value(name));
            [("oauth_token", token), ("oauth_token_secret", secret), ("user_id", "1")]
        } else {
            return Some(Answer::html(StatusCode::UNAUTHORIZED, "401", "Nobody has agreed."));
        };
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Some(Answer::text(StatusCode::OK, &form))
    }

    /// The temporary keys of a role.
    fn role(&self, scheme: &AuthScheme, aws: &AwsSigV4, request: &Request) -> Option<Answer> {
        let role = aws.assume_role.as_ref()?;
        let given = parameters(request);
        let value = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
        if value("Action") != "AssumeRole" || !url_fits(role.url.expression.source(), request) {
            return None;
        }
        let known = self.known(scheme).find(|credential| {
            let expected = Expected::new(self.config, &credential.fields, request);
            let text = |expression: &Expression| expected.text(expression).unwrap_or_default();
            let (id, secret) = (text(&aws.access_key_id), text(&aws.secret_access_key));
            let key = AwsKey { id: &id, secret: &secret, session: None, service: "sts" };
            is_signed_by_aws(&key, request) && value("RoleArn") == text(&role.role)
        });
        let Some(known) = known else {
            let refusal = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not yours.</Message></Error></ErrorResponse>";
            return Some(Answer::text(StatusCode::FORBIDDEN, refusal));
        };
        let [id, secret, session] = AwsSigV4::ROLE.map(|name| known.value(name));
        Some(Answer::text(
            StatusCode::OK,
            &format!(
                "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{id}</AccessKeyId>\
             <SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{session}</SessionToken>\
             </Credentials></AssumeRoleResult></AssumeRoleResponse>"
            ),
        ))
    }
}

/// What a step answers: what later steps and the end of the login look for.
fn answer_of(number: usize, login: &Login, credential: &AcceptedCredential, request: &Request) -> Answer {
    let host = format!("https://{}", request.host().unwrap_or_default());
    let mut body = json!({});
    for later in &login.steps {
        let starts = later.url.expression.source();
        let texts = later.headers.values().chain([&later.url.expression]).flat_map(Expression::values);
        for value in texts.chain(later.parameters.values()) {
            if let ExpressionValue::Answer { step, path } = value
                && *step == number
            {
                let is_address = starts.starts_with(&format!("${{step{}.{path}}}", step + 1));
                let endpoint = format!("{host}/simulated-endpoint");
                let whole = starts == format!("${{step{}.{path}}}", step + 1);
                let value = match (is_address, whole) {
                    (true, true) => endpoint,
                    (true, false) => host.clone(),
                    (false, _) => format!("simulated-{path}"),
                };
                put(&mut body, path, json!(value));
            }
        }
    }
    let names = &login.answer;
    for path in names.config.values() {
        put(&mut body, path, json!(host));
    }
    let is_last = number + 1 >= login.steps.len();
    if is_last {
        let token = credential.value(OAuth2::ACCESS_TOKEN);
        if names.token.is_empty() {
            return Answer::text(StatusCode::OK, token);
        }
        put(&mut body, &names.token, json!(token));
        if let Some(path) = &names.refresh_token
            && *path != names.token
        {
            put(&mut body, path, json!(credential.value(OAuth2::REFRESH_TOKEN)));
        }
        if let Some(path) = &names.expires {
            let life = match names.expires_as {
                ExpiryForm::Seconds => json!(LIFE),
                ExpiryForm::Milliseconds => json!(LIFE * 1_000),
                // A span, because whose clock counts is not for the simulator to say.
                ExpiryForm::Moment => json!("1:00:00"),
            };
            put(&mut body, path, life);
        }
        for (name, path) in &names.keep {
            put(&mut body, path, json!(credential.value(name)));
        }
    }
    let answer = Answer::json(&body);
    if names.cookies && is_last {
        return answer
            .with_header(SET_COOKIE, &format!("{}; Path=/; HttpOnly", credential.value(Login::COOKIES)));
    }
    answer
}

/// The signed token that a step shows, wherever it does.
fn find_assertion(step: &LoginStep, given: &Value, request: &Request) -> Option<String> {
    let asks =
        |text: &Expression| text.values().iter().any(|value| matches!(value, ExpressionValue::Assertion));
    for (name, member) in step.parameters.members() {
        if matches!(member, Document::Text(text) if asks(text)) {
            return given.get(name)?.as_str().map(str::to_owned);
        }
    }
    let (name, _) = step.headers.iter().find(|(_, text)| asks(text))?;
    request.header(name)?.rsplit(' ').next().map(str::to_owned)
}

/// Whether the query that an address writes out is there.
fn query_fits(step: &LoginStep, expected: &Expected<'_>, request: &Request) -> bool {
    let source = step.url.expression.source();
    let Some((_, query)) = source.split_once('?') else { return true };
    let given: BTreeMap<String, String> =
        url::form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
    query.split('&').all(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let text = Expression::parse(value);
        given.get(name).is_some_and(|given| text.is_ok_and(|text| expected.fits(&text, given)))
    })
}

/// Whether a request goes to an address, whatever stands in its holes.
pub(super) fn url_fits(url: &str, request: &Request) -> bool {
    url.split(" || ").any(|url| {
        let stars = with_stars(url);
        let rest = stars.split_once("://").map_or(stars.as_str(), |(_, rest)| rest);
        let path = rest.find('/').map_or("", |start| &rest[start..]);
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let given = request.path.trim_end_matches('/');
        // A whole address that an answer named.
        if path.is_empty() && url.starts_with("${step") {
            return given == "/simulated-endpoint";
        }
        let (wanted, given): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), given.split('/').collect());
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let host_fits =
            host.starts_with('*') || fits(host, &request.host().unwrap_or_default()) || is_local(request);
        host_fits
            && wanted.len() == given.len()
            && wanted.iter().zip(given).all(|(wanted, given)| fits(wanted, given))
    })
}

fn is_local(request: &Request) -> bool {
    matches!(request.host().as_deref(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// The text with `*` in the place of its holes.
fn with_stars(text: &str) -> String {
    let mut stars = String::new();
    let mut rest = text;
    while let Some((before, hole)) = rest.split_once("${") {
        stars.push_str(before);
        stars.push('*');
        let mut depth = 1;
        let end = hole.char_indices().find(|(_, character)| {
            depth += i32::from(*character == '{') - i32::from(*character == '}');
            depth == 0
        });
        rest = end.map_or("", |(at, _)| &hole[at + 1..]);
    }
    stars + rest
}
