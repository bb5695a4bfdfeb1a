//! The request that a person's browser takes to the vendor (RFC 6749 §4.1.1, RFC 7636 §4.3).

use std::collections::BTreeMap;

use crate::fill::Filling;
use crate::moment::Moment;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tombolo_catalog::OAuth2;
use url::{ParseError, Url};

/// Everything that the vendor is told when a person is sent to agree.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// What the provider file says.
    pub oauth2: &'a OAuth2,
    /// The vendor's page, without holes.
    pub url: &'a str,
    /// The client's public id.
    pub client_id: &'a str,
    /// Where the vendor sends the browser back to; compared character by character there.
    pub redirect_uri: &'a str,
    /// What is asked for.
    pub scopes: &'a [String],
    /// Unguessable, single use.
    pub state: &'a str,
    /// The PKCE verifier, of which only the challenge leaves.
    pub verifier: Option<&'a str>,
    /// More parameters, over those of the provider file; an empty value removes one.
    pub parameters: &'a BTreeMap<String, String>,
    /// The configuration, which fills the holes of the parameters.
    pub config: &'a BTreeMap<String, String>,
    /// Time and chance, for parameters that differ each time.
    pub moment: Option<Moment>,
}

impl AuthorizationRequest<'_> {
    /// The address to send the browser to.
    pub fn to_url(&self) -> Result<String, ParseError> {
        let mut url = Url::parse(self.url)?;
        let filling = Filling { moment: self.moment, ..Filling::of_config(self.config) };
        let declared = self.oauth2.authorization_parameters.iter();
        // What is not filled in is not sent.
        let mut parameters: BTreeMap<String, String> = declared
            .filter_map(|(name, text)| Some((name.clone(), filling.text(text).ok()?.to_string())))
            .collect();
        parameters.extend(self.parameters.clone());
        parameters.retain(|_, value| !value.is_empty());
        let scope = self.scopes.join(&self.oauth2.scope_separator);
        let challenge = self.verifier.map(pkce_challenge);
        let mut usual = vec![
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri),
            ("scope", &scope),
            ("state", self.state),
        ];
        usual.retain(|(name, value)| *name != "scope" || !value.is_empty());
        if let Some(challenge) = &challenge {
            usual.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
        }
        let name_of = |name: &str| match self.oauth2.authorization_names.get(name) {
            Some(other) => other.clone(),
            None => name.to_owned(),
        };
        {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in usual.iter().map(|(name, value)| (name_of(name), value)) {
                // An empty name says that the vendor does not bear the parameter.
                if !name.is_empty() {
                    pairs.append_pair(&name, value);
                }
            }
            for (name, value) in &parameters {
                // What the flow's safety rests on cannot be written over.
                if !RESERVED.contains(&name.as_str()) {
                    pairs.append_pair(name, value);
                }
            }
        }
        // Some vendors take `+` for a plus: a blank is written so that everybody reads it.
        if let Some(query) = url.query().map(|query| query.replace('+', "%20")) {
            url.set_query(Some(&query));
        }
        match &self.oauth2.authorization_fragment {
            None => Ok(url.into()),
            Some(fragment) => {
                let query = url.query().unwrap_or_default().to_owned();
                url.set_query(None);
                Ok(format!("{url}#/{}?{query}", fragment.trim_start_matches('/')))
            }
        }
    }
}

const RESERVED: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    // Other ways to say the same (RFC 9101, RFC 9126), and where the answer comes to.
    "request",
    "request_uri",
    "response_mode",
];

/// The challenge of a PKCE verifier (RFC 7636 §4.2, method S256).
pub fn pkce_challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636 appendix B.
    #[test]
    fn published_challenge() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(pkce_challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_vendor_is_told_what_it_needs_and_no_parameter_weakens_the_flow() {
        let text = "flow: authorization_code\nauthorization_url: https://a.example.com/auth?tenant=1\n\
                    token_url: https://a.example.com/t\nauthorization_parameters: { prompt: consent, access_type: offline }";
        let oauth2: OAuth2 = serde_saphyr::from_str(text).expect("reads");
        let parameters = [("prompt", ""), ("state", "mine"), ("login_hint", "a b")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let request = AuthorizationRequest {
            oauth2: &oauth2,
            url: "https://a.example.com/auth?tenant=1",
            client_id: "me",
            redirect_uri: "https://t.example/cb",
            scopes: &["k:read".to_owned(), "k:write".to_owned()],
            state: "S",
            verifier: Some("v"),
            parameters: &parameters,
            config: &BTreeMap::new(),
            moment: None,
        };
        assert_eq!(
            request.to_url().expect("a URL"),
            format!(
                "https://a.example.com/auth?tenant=1&response_type=code&client_id=me&\
                 redirect_uri=https%3A%2F%2Ft.example%2Fcb&scope=k%3Aread%20k%3Awrite&state=S&\
                 code_challenge={}&code_challenge_method=S256&access_type=offline&login_hint=a%20b",
                pkce_challenge("v")
            )
        );
    }
}
