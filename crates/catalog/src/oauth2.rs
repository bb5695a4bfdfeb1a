//! OAuth 2.0 (RFC 6749) as a provider file declares it, with every way in which vendors deviate from it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::expression::Expression;
use crate::template::Template;
use crate::text::Text;
use crate::token::{Jwt, margin};

/// How tokens are asked for and read. What is left out is what RFC 6749 says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// Who agrees.
    pub flow: Flow,
    /// Where the person agrees; needed by the authorization-code flow.
    pub authorization_url: Option<Template>,
    /// Where codes and refresh tokens become access tokens.
    pub token_url: Template,
    /// Where refresh tokens are taken instead.
    pub refresh_url: Option<Template>,
    /// Where tokens are given back (RFC 7009), as a connection is deleted.
    pub revocation_url: Option<Template>,
    /// How they are given back, where the vendor deviates from RFC 7009.
    #[serde(default)]
    pub revocation: Revocation,
    /// Who signs the vendor's answers (RFC 9207): compared with what the answer says, if it says so.
    pub issuer: Option<String>,
    /// Whether every answer says who signs it, as the vendor announces with
    /// `authorization_response_iss_parameter_supported` (RFC 9207 §3): one that does not is refused.
    #[serde(default)]
    pub issuer_in_answer: bool,
    /// What a person can agree to, in the order in which it is shown.
    #[serde(default)]
    pub scopes: Vec<OAuthScope>,
    /// What stands between scopes.
    #[serde(default = "blank")]
    pub scope_separator: String,
    /// Whether the vendor bears a PKCE challenge (RFC 7636, S256).
    #[serde(default = "yes")]
    pub pkce: bool,
    /// How the client proves to be itself.
    #[serde(default)]
    pub client_authentication: ClientAuthentication,
    /// The token that the client signs to prove to be itself, for `private_key_jwt`.
    pub client_assertion: Option<Jwt>,
    /// How the parameters of a token request travel.
    #[serde(default)]
    pub token_request: ParameterFormat,
    /// More parameters of the authorization request.
    #[serde(default)]
    pub authorization_parameters: BTreeMap<String, Expression>,
    /// Other names for the usual parameters of the authorization request; an empty one leaves the parameter out.
    #[serde(default)]
    pub authorization_names: BTreeMap<String, String>,
    /// What stands between the address of the page and the parameters, for pages that read them from the fragment.
    pub authorization_fragment: Option<String>,
    /// The parameter in which the vendor's answer brings the code.
    #[serde(default = "code")]
    pub code_parameter: String,
    /// Parameters of the vendor's answer that become fields of the configuration: field name and parameter.
    #[serde(default)]
    pub redirect_config: BTreeMap<String, String>,
    /// More parameters of every token request that is no refresh.
    #[serde(default)]
    pub token_parameters: BTreeMap<String, Expression>,
    /// More parameters of a refresh.
    #[serde(default)]
    pub refresh_parameters: BTreeMap<String, Expression>,
    /// More headers of every token request.
    #[serde(default)]
    pub token_headers: BTreeMap<String, String>,
    /// Where the answer keeps its members.
    #[serde(default)]
    pub token_answer: TokenAnswer,
    /// How many seconds an access token lives when the answer does not say.
    pub token_life: Option<u32>,
    /// How many seconds before its end a token is renewed; a tenth of its life, at most five minutes, when absent.
    pub refresh_margin: Option<u32>,
}

/// Who agrees to what a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// A person, in a browser (RFC 6749 §4.1).
    AuthorizationCode,
    /// The client itself (RFC 6749 §4.4): its id and secret are the credential.
    ClientCredentials,
}

/// Something that a person can agree to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthScope {
    /// The vendor's name for it.
    pub id: String,
    /// What it allows.
    pub says: Text,
    /// Whether it is asked for unless somebody says otherwise.
    #[serde(default)]
    pub default: bool,
}

/// How a client proves to be itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// `Authorization: Basic` with id and secret, each form-encoded first (RFC 6749 §2.3.1).
    #[default]
    Basic,
    /// The parameters `client_id` and `client_secret`.
    Body,
    /// A token signed with the client's private key (RFC 7523 §2.2); the field for it is `client_secret`.
    PrivateKeyJwt,
}

/// How the parameters of a token request travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterFormat {
    /// POST with `application/x-www-form-urlencoded`, as RFC 6749 says.
    #[default]
    Form,
    /// POST with a JSON object.
    Json,
    /// GET with everything in the query.
    Query,
}

/// How a token is given back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Revocation {
    /// Which token ends the authorisation.
    pub token: RevokedToken,
    /// The parameter that carries it.
    pub parameter: String,
    /// How the parameters travel; as those of a token request when absent.
    pub request: Option<ParameterFormat>,
    /// Whether the client proves to be itself, as at the token endpoint.
    pub authenticated: bool,
}

/// A token that can be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedToken {
    /// The refresh token, or the access token where there is none: most vendors end every token of the authorisation.
    #[default]
    RefreshToken,
    /// The access token.
    AccessToken,
}

impl Default for Revocation {
    fn default() -> Self {
        Self {
            token: RevokedToken::default(),
            parameter: "token".to_owned(),
            request: None,
            authenticated: true,
        }
    }
}

/// Paths such as `authed_user.access_token` to the members of a token answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// The life of the access token in seconds, as a number or a text.
    pub expires_in: String,
    /// The life of the refresh token in seconds; two names that vendors use are known anyway.
    pub refresh_expires_in: String,
    /// The member in which the tokens are looked for when they are not where they belong.
    pub alternate: Option<String>,
    /// Whether the life is in milliseconds.
    pub expires_in_milliseconds: bool,
    /// Members that become fields of the configuration: field name and path.
    pub config: BTreeMap<String, String>,
    /// Members that are kept with the token: the name in `${secret.NAME}` and the path.
    pub keep: BTreeMap<String, String>,
}

impl Default for TokenAnswer {
    fn default() -> Self {
        Self {
            access_token: "access_token".to_owned(),
            refresh_token: "refresh_token".to_owned(),
            expires_in: "expires_in".to_owned(),
            refresh_expires_in: "refresh_token_expires_in".to_owned(),
            alternate: None,
            expires_in_milliseconds: false,
            config: BTreeMap::new(),
            keep: BTreeMap::new(),
        }
    }
}

impl OAuth2 {
    /// The header that carries the access token (RFC 6750 §2.1).
    pub const HEADER: &str = "authorization";
    /// The name under which credentials keep the access token.
    pub const ACCESS_TOKEN: &str = "access_token";
    /// The name under which credentials keep the refresh token.
    pub const REFRESH_TOKEN: &str = "refresh_token";
    /// The field for the client's id in the client-credentials flow.
    pub const CLIENT_ID: &str = "client_id";
    /// The field for the client's secret in the client-credentials flow.
    pub const CLIENT_SECRET: &str = "client_secret";

    /// The scopes that are asked for unless somebody says otherwise.
    pub fn default_scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().filter(|scope| scope.default).map(|scope| scope.id.as_str())
    }

    /// How long before its end a token that lives this long is renewed.
    pub fn margin(&self, life: Duration) -> Duration {
        margin(self.refresh_margin, life)
    }

    /// Every address that a secret of this scheme is sent to.
    pub fn token_urls(&self) -> impl Iterator<Item = &Template> {
        std::iter::once(&self.token_url).chain(&self.refresh_url).chain(&self.revocation_url)
    }

    /// Every address of the scheme.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &Template> {
        self.token_urls().chain(&self.authorization_url)
    }
}

fn code() -> String {
    "code".to_owned()
}

fn blank() -> String {
    " ".to_owned()
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_its_end_and_never_right_after_its_beginning() {
        let read = |more: &str| -> OAuth2 {
            let text = format!("flow: client_credentials\ntoken_url: https://a.example.com/token\n{more}");
            serde_saphyr::from_str(&text).expect("reads")
        };
        for (more, life, margin) in [
            ("", 3_600, 300),
            ("", 600, 60),
            ("", 86_400, 300),
            ("refresh_margin: 30", 3_600, 30),
            ("refresh_margin: 30", 40, 20),
        ] {
            let found = read(more).margin(Duration::from_secs(life));
            assert_eq!(found, Duration::from_secs(margin), "{more} of {life}");
        }
    }
}
