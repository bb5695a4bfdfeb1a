//! What a client asks of a user's browser (RFC 6749, section 4.1.1).

use http::StatusCode;
use http::header::{CACHE_CONTROL, LOCATION};

use crate::browser::Words;
use crate::http::{Answer, Form};
use crate::model::{OAuthClient, OAuthScope, Tenant};

/// A request that the user may be asked about.
#[derive(Debug)]
pub(super) struct AuthorizationRequest {
    pub(super) client: OAuthClient,
    pub(super) redirect_uri: String,
    pub(super) state: String,
    pub(super) scopes: Vec<OAuthScope>,
    /// The challenge of PKCE, method `S256`.
    pub(super) challenge: Option<String>,
}

/// Why the user is not asked.
#[derive(Debug)]
pub(super) enum Problem {
    /// Nobody can be trusted with an answer, so the browser stays here.
    Page(Words),
    /// The client is told; the value is the whole address.
    Redirect(String),
}

impl AuthorizationRequest {
    /// Reads the parameters. An unknown client or redirect URI never leads away from here.
    pub(super) fn read(tenant: &Tenant, form: &Form) -> Result<Self, Problem> {
        let client = form.get("client_id").and_then(|id| tenant.oauth_client(id));
        let client = client.ok_or(Problem::Page((
            "The OAuth client is not known. Check the client ID.",
            "OAuthクライアントが見つかりません。クライアントIDを確認してください。",
        )))?;
        let redirect_uri =
            form.get("redirect_uri").filter(|uri| client.redirect_uris.iter().any(|known| known == uri));
        let redirect_uri = redirect_uri.ok_or(Problem::Page((
            "The redirect URI is not the one of the OAuth client. Both have to be the same, character by character.",
            "リダイレクトURIが、OAuthクライアントに登録されているものと一致しません。",
        )))?;
        let state = form.get("state");
        let refuse = |error: &str, description: &str| {
            let mut answer = vec![("error", error), ("error_description", description)];
            answer.extend(state.map(|state| ("state", state)));
            Problem::Redirect(with_parameters(redirect_uri, &answer))
        };
        if let Some(name) = form.repeated() {
            return Err(refuse("invalid_request", &format!("{name} is there more than once.")));
        }
        let Some(state) = state else { return Err(refuse("invalid_request", "state is missing.")) };
        if form.get("response_type") != Some("code") {
            return Err(refuse("unsupported_response_type", "response_type has to be code."));
        }
        let scopes = form.get("scope").and_then(OAuthScope::parse_list);
        let scopes = scopes.ok_or_else(|| refuse("invalid_scope", "scope is missing or unknown."))?;
        let challenge = form.get("code_challenge");
        if challenge.is_some() && form.get("code_challenge_method") != Some("S256") {
            return Err(refuse("invalid_request", "code_challenge_method has to be S256."));
        }
        Ok(Self {
            client: client.clone(),
            redirect_uri: redirect_uri.to_owned(),
            state: state.to_owned(),
            scopes,
            challenge: challenge.map(str::to_owned),
        })
    }

    /// The address that hands the client its code.
    pub(super) fn granted(&self, code: &str) -> String {
        with_parameters(&self.redirect_uri, &[("code", code), ("state", &self.state)])
    }

    /// The address that tells the client that the user refused.
    pub(super) fn denied(&self) -> String {
        let answer = [
            ("error", "access_denied"),
            ("error_description", "The user refused the request."),
            ("state", &self.state),
        ];
        with_parameters(&self.redirect_uri, &answer)
    }
}

/// Leads the browser away.
pub(super) fn redirect(location: &str) -> Answer {
    Answer::html(StatusCode::FOUND, "302 Found", "You are led back to the client.")
        .with_header(LOCATION, location)
        .with_header(CACHE_CONTROL, "no-store")
}

fn with_parameters(uri: &str, parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let separator = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{separator}{query}")
}
