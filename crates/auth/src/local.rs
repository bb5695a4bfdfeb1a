//! Tokens that nobody is asked for, and keys of roles that are assumed.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tombolo_catalog::{AssumeRole, AwsSigV4, Jwt, OAuth2};
use url::form_urlencoded::Serializer;

use crate::aws::AwsSigner;
use crate::credentials::Credentials;
use crate::exchange::{ExchangeAnswer, ExchangeFailure, ExchangeRequest, Step, Tokens};
use crate::fill::{Filling, Subject, Unfilled};
use crate::jwt;
use crate::login::{over, unusable};
use crate::moment::Moment;
use crate::oauth2::failure_of;

/// Signs a token with the account's own key.
pub fn sign_token(
    jwt: &Jwt,
    config: &BTreeMap<String, String>,
    credentials: &Credentials,
    moment: Moment,
) -> Step {
    let filling =
        Filling { credentials: Some(credentials), moment: Some(moment), ..Filling::of_config(config) };
    match jwt::sign(jwt, &filling) {
        Ok(token) => Step::Done(Tokens {
            credentials: over(credentials, &[(OAuth2::ACCESS_TOKEN, token.to_string())]),
            expires_in: Some(jwt.life()),
            scope: None,
            refresh_expires_in: None,
            config: BTreeMap::new(),
        }),
        Err(unfilled) => Step::Failed(unusable(&unfilled)),
    }
}

/// The temporary keys of a role.
pub struct RoleExchange<'a> {
    /// What requests are signed for.
    pub aws: &'a AwsSigV4,
    /// The role.
    pub role: &'a AssumeRole,
    /// The configuration.
    pub config: &'a BTreeMap<String, String>,
    /// The account's own keys.
    pub credentials: &'a Credentials,
    /// When it is asked.
    pub moment: Moment,
}

impl RoleExchange<'_> {
    /// The request.
    pub fn begin(&self) -> Step {
        self.write().map_or_else(|unfilled| Step::Failed(unusable(&unfilled)), Step::Send)
    }

    fn filling(&self) -> Filling<'_> {
        let (credentials, moment) = (Some(self.credentials), Some(self.moment));
        Filling { credentials, moment, ..Filling::of_config(self.config) }
    }

    fn write(&self) -> Result<ExchangeRequest, Unfilled> {
        let filling = self.filling();
        let url = filling.url(&self.role.url.expression)?.to_string();
        let mut form = Serializer::new(String::new());
        form.append_pair("Action", "AssumeRole").append_pair("Version", "2011-06-15");
        form.append_pair("RoleArn", &filling.text(&self.role.role)?)
            .append_pair("RoleSessionName", "tombolo");
        form.append_pair("DurationSeconds", &self.role.life.to_string());
        if let Some(external_id) = &self.role.external_id {
            match filling.text(external_id) {
                Ok(id) => drop(form.append_pair("ExternalId", &id)),
                Err(Unfilled::Config(_) | Unfilled::Secret(_)) => {}
                Err(other) => return Err(other),
            }
        }
        let body = form.finish();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let path = url.find("://").and_then(|start| url[start + 3..].find('/').map(|at| start + 3 + at));
        let (origin, target) = url.split_at(path.unwrap_or(url.len()));
        let subject = Subject { method: &Method::POST, origin, target, body: body.as_bytes() };
        let signer = AwsSigner {
            access_key_id: &filling.text(&self.aws.access_key_id)?,
            secret_access_key: &filling.text(&self.aws.secret_access_key)?,
            session_token: None,
            region: &filling.text(&self.aws.region)?,
            service: "sts",
        };
        let unfit = || Unfilled::Unfit("the key has characters that no header can carry".to_owned());
        signer.sign(&subject, self.moment, &mut headers).ok_or_else(unfit)?;
        Ok(ExchangeRequest { method: Method::POST, url: url.clone(), headers, body: Bytes::from(body) })
    }

    /// The end: an XML document with the keys.
    pub fn answered(&self, answer: &ExchangeAnswer<'_>) -> Step {
        let text = String::from_utf8_lossy(answer.body);
        if !answer.status.is_success() {
            let failure = match (failure_of(answer, None), element(&text, "Code")) {
                (ExchangeFailure::Refused { .. }, Some(code)) => {
                    let description = element(&text, "Message").map(str::to_owned);
                    ExchangeFailure::Refused { code: code.to_owned(), description }
                }
                (other, _) => other,
            };
            return Step::Failed(failure);
        }
        let found: Option<Vec<&str>> = ["AccessKeyId", "SecretAccessKey", "SessionToken"]
            .iter()
            .map(|name| element(&text, name))
            .collect();
        let Some(found) = found else {
            return Step::Failed(ExchangeFailure::Malformed("it has no keys of a role".to_owned()));
        };
        let made: Vec<(&str, String)> =
            AwsSigV4::ROLE.into_iter().zip(found.into_iter().map(str::to_owned)).collect();
        Step::Done(Tokens {
            credentials: over(self.credentials, &made),
            expires_in: Some(std::time::Duration::from_secs(self.role.life.into())),
            scope: None,
            refresh_expires_in: None,
            config: BTreeMap::new(),
        })
    }
}

/// The text of the first element with a name; keys and codes have no markup in them.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.trim())
}
