//! Tokens that are signed here (RFC 7519), and those that a login yields.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use serde_saphyr::Spanned;

use crate::document::Document;
use crate::expression::{Expression, ExpressionValue, hole_length};
use crate::template::Template;

/// A token that is signed here, with a key that the account has.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// How it is signed.
    pub algorithm: JwtAlgorithm,
    /// The key: PEM for RSA and elliptic curves, a text for HMAC.
    pub key: Expression,
    /// How the text of an HMAC key is written.
    #[serde(default)]
    pub key_encoding: KeyEncoding,
    /// Members of the header beside `alg`.
    #[serde(default)]
    pub header: Document,
    /// The claims beside `iat` and `exp`.
    #[serde(default)]
    pub claims: Document,
    /// How many seconds it is good.
    pub life: u32,
    /// How many seconds ago it says that it was signed, for vendors whose clock may be behind.
    #[serde(default)]
    pub backdate: u32,
}

/// How a token is signed (RFC 7518 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the standard")]
pub enum JwtAlgorithm {
    HS256,
    RS256,
    PS256,
    ES256,
}

impl JwtAlgorithm {
    /// Its name in a header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
        }
    }
}

/// How the text of a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyEncoding {
    /// As it is.
    #[default]
    Utf8,
    /// In hexadecimal digits.
    Hex,
    /// In base64.
    Base64,
}

/// Requests that lead to a token: one, or a chain in which each sees the answers to those before it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The requests in their order.
    pub steps: Vec<LoginStep>,
    /// The request for a new token while there is a refresh token; without one the steps are taken again.
    pub refresh: Option<LoginStep>,
    /// A token that is signed here and shown in a step as `${assertion}`.
    pub assertion: Option<Jwt>,
    /// Where the answer to the last step keeps its members.
    #[serde(default)]
    pub answer: LoginAnswer,
    /// How many seconds a token lives when the answer does not say.
    pub token_life: Option<u32>,
    /// How many seconds before its end a token is renewed.
    pub refresh_margin: Option<u32>,
}

/// One request of a login.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginStep {
    /// Where it goes.
    pub url: StepUrl,
    /// How its parameters travel.
    #[serde(default)]
    pub format: StepFormat,
    /// Headers by name.
    #[serde(default)]
    pub headers: BTreeMap<String, Expression>,
    /// The parameters.
    #[serde(default)]
    pub parameters: Document,
}

/// The address of a step: an expression, of which the host may come from the configuration or from an earlier answer only.
#[derive(Debug, Clone)]
pub struct StepUrl {
    /// The address.
    pub expression: Expression,
    /// Scheme and host, as far as they are known before the first step is taken.
    pub origin: Option<Template>,
}

impl<'de> Deserialize<'de> for StepUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Spanned::<String>::deserialize(deserializer)?;
        let expression = Expression::parse(&text.value).map_err(de::Error::custom)?;
        let origins: Vec<&str> = text.value.split(" || ").map(origin_of).collect();
        if origins.iter().any(|origin| origin.starts_with("${step")) {
            return Ok(Self { expression, origin: None });
        }
        let origin =
            Template::parse(&origins.join(" || "), text.referenced.into()).map_err(de::Error::custom)?;
        Ok(Self { expression, origin: Some(origin) })
    }
}

/// Scheme and host of an address with holes.
fn origin_of(url: &str) -> &str {
    let start = if url.starts_with("https://") { "https://".len() } else { 0 };
    let mut end = start;
    while let Some(rest) = url.get(end..).filter(|rest| !rest.is_empty()) {
        match rest.as_bytes()[0] {
            b'/' | b'?' => break,
            b'$' => end += hole_length(rest).unwrap_or(1),
            _ => end += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    &url[..end]
}

/// How the parameters of a step travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepFormat {
    /// POST with a JSON object.
    #[default]
    Json,
    /// POST with `application/x-www-form-urlencoded`.
    Form,
    /// GET with everything in the query.
    Query,
}

/// Paths to the members of the answer to a login.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoginAnswer {
    /// The token; empty when the whole body is the token.
    pub token: String,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// When the token ends.
    pub expires: Option<String>,
    /// How the answer says it.
    pub expires_as: ExpiryForm,
    /// Whether the cookies of the answer are kept, as `${secret.cookies}`.
    pub cookies: bool,
    /// Members that become fields of the configuration: field name and path.
    pub config: BTreeMap<String, String>,
    /// Members that are kept with the token: the name in `${secret.NAME}` and the path.
    pub keep: BTreeMap<String, String>,
}

impl Default for LoginAnswer {
    fn default() -> Self {
        Self {
            token: "access_token".to_owned(),
            refresh_token: None,
            expires: None,
            expires_as: ExpiryForm::default(),
            cookies: false,
            config: BTreeMap::new(),
            keep: BTreeMap::new(),
        }
    }
}

/// How an answer says when a token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryForm {
    /// In so many seconds.
    #[default]
    Seconds,
    /// In so many milliseconds.
    Milliseconds,
    /// At a moment: RFC 3339, or seconds or milliseconds since 1970.
    Moment,
}

impl Login {
    /// The name under which credentials keep the cookies of a login.
    pub const COOKIES: &str = "cookies";

    /// Every value of every expression.
    pub fn values(&self) -> Vec<&ExpressionValue> {
        let mut values: Vec<&ExpressionValue> = self.assertion.iter().flat_map(Jwt::values).collect();
        for step in self.all_steps() {
            values.extend(step.url.expression.values());
            values.extend(step.headers.values().flat_map(Expression::values));
            values.extend(step.parameters.values());
        }
        values
    }

    /// Every step, that for renewal as well.
    pub fn all_steps(&self) -> impl Iterator<Item = &LoginStep> {
        self.steps.iter().chain(&self.refresh)
    }

    /// How long before its end a token that lives this long is renewed.
    pub fn margin(&self, life: Duration) -> Duration {
        margin(self.refresh_margin, life)
    }
}

impl Jwt {
    /// Every value of every expression.
    pub fn values(&self) -> Vec<&ExpressionValue> {
        let mut values = self.key.values();
        values.extend(self.header.values());
        values.extend(self.claims.values());
        values
    }

    /// How long it is good.
    pub fn life(&self) -> Duration {
        Duration::from_secs(self.life.into())
    }
}

/// A tenth of a life, at most five minutes, unless somebody says otherwise; never more than half.
pub(crate) fn margin(wanted: Option<u32>, life: Duration) -> Duration {
    let usual = (life / 10).min(Duration::from_mins(5));
    wanted.map_or(usual, |seconds| Duration::from_secs(seconds.into())).min(life / 2)
}

/// OAuth 1.0a (RFC 5849).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth1 {
    /// Where the token comes from.
    pub flow: OAuth1Flow,
    /// Where temporary credentials are had, for the flow with a person.
    pub request_url: Option<Template>,
    /// Where the person agrees.
    pub authorization_url: Option<Template>,
    /// Where temporary credentials become tokens.
    pub token_url: Option<Template>,
    /// How requests are signed.
    #[serde(default)]
    pub signature: OAuth1Signature,
    /// The realm of the header.
    pub realm: Option<Expression>,
    /// More parameters of the request for temporary credentials.
    #[serde(default)]
    pub request_parameters: BTreeMap<String, String>,
    /// More parameters of the page where the person agrees.
    #[serde(default)]
    pub authorization_parameters: BTreeMap<String, String>,
}

/// Where the token of OAuth 1.0a comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OAuth1Flow {
    /// A person agrees in a browser.
    ThreeLegged,
    /// It was made at the vendor and is typed into the form.
    Token,
}

/// How requests are signed (RFC 5849 §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum OAuth1Signature {
    /// HMAC with SHA-1.
    #[default]
    #[serde(rename = "HMAC-SHA1")]
    HmacSha1,
    /// HMAC with SHA-256.
    #[serde(rename = "HMAC-SHA256")]
    HmacSha256,
    /// The secrets themselves, over TLS only.
    #[serde(rename = "PLAINTEXT")]
    Plaintext,
}

impl OAuth1Signature {
    /// Its name in a header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::Plaintext => "PLAINTEXT",
        }
    }
}

impl OAuth1 {
    /// The secret field for the client's key.
    pub const CONSUMER_KEY: &str = "consumer_key";
    /// The secret field for the client's secret.
    pub const CONSUMER_SECRET: &str = "consumer_secret";
    /// The secret field for the token.
    pub const TOKEN: &str = "token_id";
    /// The secret field for the token's secret.
    pub const TOKEN_SECRET: &str = "token_secret";

    /// Every address that a secret of this scheme is sent to.
    pub fn token_urls(&self) -> impl Iterator<Item = &Template> {
        self.request_url.iter().chain(&self.token_url)
    }
}

/// Requests signed as Amazon Web Services want it (Signature Version 4).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsSigV4 {
    /// The region that requests are signed for.
    pub region: Expression,
    /// The service that requests are signed for.
    pub service: Expression,
    /// The id of the account's key.
    #[serde(default = "access_key_id")]
    pub access_key_id: Expression,
    /// The account's key.
    #[serde(default = "secret_access_key")]
    pub secret_access_key: Expression,
    /// Set when the account's keys only serve to assume a role.
    pub assume_role: Option<AssumeRole>,
}

/// A role that is assumed at the Security Token Service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssumeRole {
    /// Where.
    pub url: StepUrl,
    /// The role.
    pub role: Expression,
    /// What the role's owner asks others to say.
    pub external_id: Option<Expression>,
    /// How many seconds the role is assumed for.
    pub life: u32,
}

fn access_key_id() -> Expression {
    Expression::secret("access_key_id")
}

fn secret_access_key() -> Expression {
    Expression::secret("secret_access_key")
}

impl AwsSigV4 {
    /// The names under which credentials keep the keys of an assumed role: its id, its key and its session.
    pub const ROLE: [&str; 3] = ["role_access_key_id", "role_secret_access_key", "role_session_token"];

    /// Every value of every expression.
    pub fn values(&self) -> Vec<&ExpressionValue> {
        let keys = [&self.region, &self.service, &self.access_key_id, &self.secret_access_key];
        let mut values: Vec<&ExpressionValue> = keys.into_iter().flat_map(Expression::values).collect();
        if let Some(role) = &self.assume_role {
            values.extend(role.url.expression.values());
            values.extend(role.role.values());
            values.extend(role.external_id.iter().flat_map(Expression::values));
        }
        values
    }
}
