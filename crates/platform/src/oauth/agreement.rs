//! The two versions of OAuth where a person agrees: what a browser is sent off with, and what its answer is exchanged for.

use std::collections::BTreeMap;

use tombolo_auth::{
    AuthorizationRequest, Credentials, CredentialsBuilder, Grant, OAuth1Asked, OAuth1Exchange,
    OAuthClient as Asking, Tokens,
};
use tombolo_catalog::{AuthScheme, HostPattern, OAuth1, OAuth2, Provider, SchemeKind};
use tombolo_egress::RouteOptions;
use tombolo_store::OAuthClient;
use tombolo_vault::HostSet;

use super::authorization::{VERIFIER, no_page, scheme_gone};
use super::callback::not_yours;
use super::clients::redirect_uri;
use super::draft::WaitingDraft;
use super::exchange::{self, Client, Dated, Exchange, Unanswered};
use super::secret_text;
use crate::connections::all_settings;
use crate::credentials::identity_of;
use crate::platform::Platform;
use crate::preparation::accept_answered;
use crate::problem::{Problem, ProblemKind};
use crate::proxy::route_options;

/// A person who is sent to the vendor, or comes back from there.
pub(super) struct Agreement<'a> {
    pub(super) provider: &'a Provider,
    pub(super) scheme: &'a AuthScheme,
    pub(super) client: &'a OAuthClient,
    pub(super) draft: &'a WaitingDraft,
    /// How this server is reached by the browser.
    pub(super) public_url: &'a str,
    /// What opens the gates in front of the API; nothing where there are none.
    pub(super) of_gates: &'a Credentials,
}

/// Where the browser goes, and what has to be remembered until it comes back.
pub(super) struct Departure {
    pub(super) location: String,
    pub(super) remembered: Credentials,
}

/// What a browser brought back, and what the exchange of it needs to know besides.
pub(super) struct Answer {
    /// The query.
    pub(super) parameters: BTreeMap<String, String>,
    /// How this server was reached: the redirect URI is compared letter for letter.
    pub(super) public_url: String,
}

/// The names under which an answer is sealed as it waits.
const PARAMETERS: &str = "answer_parameters";
const PUBLIC_URL: &str = "answer_public_url";

impl Answer {
    /// The answer among what is sealed.
    pub(super) fn beside(&self, had: CredentialsBuilder) -> CredentialsBuilder {
        had.value(PARAMETERS, &serde_json::json!(self.parameters).to_string())
            .value(PUBLIC_URL, &self.public_url)
    }

    /// The answer that was kept.
    pub(super) fn among(sealed: &Credentials) -> Option<Self> {
        let parameters = serde_json::from_str(sealed.value(PARAMETERS)?).ok()?;
        Some(Self { parameters, public_url: sealed.value(PUBLIC_URL)?.to_owned() })
    }

    /// The code, unless the vendor or the person said no.
    fn code(&self, name: &str) -> Result<&str, Problem> {
        let parameter = |name: &str| self.parameters.get(name).map(String::as_str);
        if let Some(error) = parameter("error") {
            let error: String = error.chars().filter(|char| !char.is_control()).take(100).collect();
            let what = format!("The vendor did not authorise the connection ({error})");
            let fix = "Begin again, and agree on the vendor's page.";
            return Err(Problem::new(ProblemKind::Forbidden, "authorization_denied", what, fix));
        }
        parameter(name).filter(|code| !code.is_empty()).ok_or_else(|| {
            let what = "The vendor's answer has no code";
            Problem::invalid("no_code", what, "Begin again.")
        })
    }

    /// Somebody else may have answered in the vendor's place (RFC 9207).
    fn check_issuer(&self, oauth2: &OAuth2) -> Result<(), Problem> {
        let given = self.parameters.get("iss");
        match (&oauth2.issuer, given) {
            (Some(expected), Some(given)) if expected != given => {
                Err(not_yours("The answer came from another vendor than the one that was asked"))
            }
            (Some(_), None) if oauth2.issuer_in_answer => {
                Err(not_yours("The answer does not say which vendor it comes from, as this one's always do"))
            }
            _ => Ok(()),
        }
    }

    /// The answer has to be about the request that was made: the protocol's older version has no state.
    fn check_temporary(&self, remembered: &Credentials) -> Result<(), Problem> {
        let temporary = remembered.value(OAuth1::TOKEN).unwrap_or_default();
        if self.parameters.get("oauth_token").map(String::as_str) == Some(temporary) {
            return Ok(());
        }
        Err(not_yours("The answer is about another request than the one that was made"))
    }
}

/// Everything about an answer that can be told without asking the vendor.
pub(super) fn check_answer(
    scheme: &AuthScheme,
    remembered: &Credentials,
    answer: &Answer,
) -> Result<(), Problem> {
    match &scheme.kind {
        SchemeKind::OAuth2(oauth2) => {
            answer.check_issuer(oauth2)?;
            answer.code(&oauth2.code_parameter).map(drop)
        }
        SchemeKind::OAuth1(_) => {
            answer.check_temporary(remembered)?;
            answer.code(OAUTH1_VERIFIER).map(drop)
        }
        _ => Err(scheme_gone(&scheme.id)),
    }
}

/// What the older version of the protocol has in the place of a code.
const OAUTH1_VERIFIER: &str = "oauth_verifier";

/// What an answer was exchanged for.
pub(super) struct Arrival {
    pub(super) tokens: Tokens,
    /// The configuration, with what the answers filled.
    pub(super) config: BTreeMap<String, String>,
    /// The hosts that the secrets of the account may go to beside the API.
    pub(super) hosts: HostSet,
}

impl Platform {
    /// Makes everything ready for a browser to leave.
    pub(super) async fn depart(&self, agreement: &Agreement<'_>, state: &str) -> Result<Departure, Problem> {
        match &agreement.scheme.kind {
            SchemeKind::OAuth2(oauth2) => self.depart_with_state(agreement, oauth2, state),
            SchemeKind::OAuth1(oauth1) => self.depart_with_temporary(agreement, oauth1, state).await,
            _ => Err(scheme_gone(&agreement.scheme.id)),
        }
    }

    fn depart_with_state(
        &self,
        agreement: &Agreement<'_>,
        oauth2: &OAuth2,
        state: &str,
    ) -> Result<Departure, Problem> {
        let Agreement { provider, client, draft, .. } = agreement;
        let verifier = secret_text(&*self.random)?;
        let template = oauth2.authorization_url.as_ref().ok_or_else(no_page)?;
        let request = AuthorizationRequest {
            oauth2,
            url: &self.for_browsers(exchange::url_of(provider, template, &draft.config, &[])?),
            client_id: &client.client_id,
            redirect_uri: &redirect_uri(agreement.public_url, client),
            scopes: &draft.scopes,
            state,
            verifier: oauth2.pkce.then_some(verifier.as_str()),
            parameters: &draft.parameters,
            config: &draft.config,
            moment: Some(self.moment()?),
        };
        let location = request.to_url().map_err(|_| no_page())?;
        let remembered = beside_gates(agreement, CredentialsBuilder::new().value(VERIFIER, &verifier));
        Ok(Departure { location, remembered })
    }

    /// Asks for temporary credentials. The protocol has no state, so it travels in the redirect URI.
    async fn depart_with_temporary(
        &self,
        agreement: &Agreement<'_>,
        oauth1: &OAuth1,
        state: &str,
    ) -> Result<Departure, Problem> {
        let Agreement { provider, client, draft, .. } = agreement;
        let callback = format!("{}?state={state}", redirect_uri(agreement.public_url, client));
        let asked = OAuth1Asked::Temporary { callback: &callback };
        let template = oauth1.request_url.as_ref().ok_or_else(no_page)?;
        let hosts = self.token_hosts(provider, agreement.scheme, &draft.config, &draft.gates)?;
        let url = exchange::url_of(provider, template, &draft.config, &draft.gates)?;
        let tokens = self.oauth1_tokens(agreement, oauth1, &url, asked, &hosts).await;
        let tokens = tokens.map_err(Unanswered::into_problem)?;
        let template = oauth1.authorization_url.as_ref().ok_or_else(no_page)?;
        let page = self.for_browsers(exchange::url_of(provider, template, &draft.config, &[])?);
        let mut page = url::Url::parse(&page).map_err(|_| no_page())?;
        let token = tokens.credentials.value(OAuth1::TOKEN).unwrap_or_default().to_owned();
        {
            let mut pairs = page.query_pairs_mut();
            pairs.append_pair("oauth_token", &token);
            let scope = draft.scopes.join(",");
            if !scope.is_empty() {
                pairs.append_pair("scope", &scope);
            }
            for (name, value) in &oauth1.authorization_parameters {
                pairs.append_pair(name, value);
            }
        }
        let remembered = beside_gates(agreement, builder_of(&tokens.credentials));
        Ok(Departure { location: page.into(), remembered })
    }

    /// Exchanges what a browser brought back.
    pub(super) async fn arrive(
        &self,
        agreement: &Agreement<'_>,
        remembered: &Credentials,
        answer: &Answer,
    ) -> Result<Arrival, Problem> {
        match &agreement.scheme.kind {
            SchemeKind::OAuth2(oauth2) => self.arrive_with_code(agreement, oauth2, remembered, answer).await,
            SchemeKind::OAuth1(oauth1) => {
                self.arrive_with_verifier(agreement, oauth1, remembered, answer).await
            }
            _ => Err(scheme_gone(&agreement.scheme.id)),
        }
    }

    async fn arrive_with_code(
        &self,
        agreement: &Agreement<'_>,
        oauth2: &OAuth2,
        remembered: &Credentials,
        answer: &Answer,
    ) -> Result<Arrival, Problem> {
        let Agreement { provider, scheme, client, draft, .. } = agreement;
        answer.check_issuer(oauth2)?;
        let code = answer.code(&oauth2.code_parameter)?;
        let mut config = draft.config.clone();
        refuse_host_of_redirect(provider, oauth2)?;
        let redirected = oauth2.redirect_config.iter().filter_map(|(field, parameter)| {
            Some((field.clone(), answer.parameters.get(parameter)?.clone()))
        });
        accept_answered(provider, redirected.collect(), &mut config)?;
        let hosts = self.token_hosts(provider, scheme, &config, &draft.gates)?;
        let exchange = Exchange {
            provider,
            oauth2,
            config: &config,
            gates: &draft.gates,
            hosts: &hosts,
            options: options_of(agreement)?,
            client: Client::Ours(client),
            grant: Grant::AuthorizationCode {
                code,
                redirect_uri: &redirect_uri(agreement.public_url, client),
                verifier: remembered.value(VERIFIER).filter(|_| oauth2.pkce),
            },
            previous: Some(agreement.of_gates),
            keeps_client: scheme.sends_client(),
        };
        let tokens = self.exchange(exchange).await.map_err(Unanswered::into_problem)?;
        accept_answered(provider, tokens.config.clone(), &mut config)?;
        Ok(Arrival { tokens, config, hosts })
    }

    async fn arrive_with_verifier(
        &self,
        agreement: &Agreement<'_>,
        oauth1: &OAuth1,
        remembered: &Credentials,
        answer: &Answer,
    ) -> Result<Arrival, Problem> {
        let Agreement { provider, scheme, draft, .. } = agreement;
        answer.check_temporary(remembered)?;
        let temporary = remembered.value(OAuth1::TOKEN).unwrap_or_default();
        let verifier = answer.code(OAUTH1_VERIFIER)?;
        let secret = remembered.value(OAuth1::TOKEN_SECRET).unwrap_or_default();
        let asked = OAuth1Asked::Token { temporary, secret, verifier };
        let template = oauth1.token_url.as_ref().ok_or_else(no_page)?;
        let url = exchange::url_of(provider, template, &draft.config, &draft.gates)?;
        let hosts = self.token_hosts(provider, scheme, &draft.config, &draft.gates)?;
        let tokens = self.oauth1_tokens(agreement, oauth1, &url, asked, &hosts).await;
        let tokens = tokens.map_err(Unanswered::into_problem)?;
        let credentials = beside_gates(agreement, builder_of(&tokens.credentials));
        let tokens = Tokens { credentials, ..tokens };
        Ok(Arrival { tokens, config: draft.config.clone(), hosts })
    }

    async fn oauth1_tokens(
        &self,
        agreement: &Agreement<'_>,
        oauth1: &OAuth1,
        url: &str,
        asked: OAuth1Asked<'_>,
        hosts: &HostSet,
    ) -> Result<Tokens, Unanswered> {
        let opened = self.client_secret_for(agreement.provider, agreement.client, url).await?;
        let client = Asking {
            id: &agreement.client.client_id,
            secret: opened.as_ref().and_then(|opened| opened.value(OAuth2::CLIENT_SECRET)),
        };
        let exchange = OAuth1Exchange { oauth1, url, client, asked, moment: self.moment()? };
        let options = options_of(agreement)?;
        self.drive(exchange.begin(), hosts, &options, Dated::Yes, |answer| exchange.answered(answer)).await
    }
}

/// Where any host will do, the host is typed by whoever links the account. A redirect passes through a browser, so what it
/// carries does not choose where the secrets go.
fn refuse_host_of_redirect(provider: &Provider, oauth2: &OAuth2) -> Result<(), Problem> {
    let is_redirected = |name: &str| oauth2.redirect_config.contains_key(name);
    let mut addresses = oauth2.token_urls().chain([&provider.base_url]);
    let is_open = provider.hosts.iter().any(HostPattern::is_typed);
    if !is_open || !addresses.any(|address| address.config_names().any(is_redirected)) {
        return Ok(());
    }
    let what = "The provider file lets the vendor's redirect choose any host for the secrets";
    let fix = "Name the vendor's hosts in `hosts` of the provider file.";
    Err(Problem::new(ProblemKind::Unusable, "provider_file", what, fix))
}

fn options_of(agreement: &Agreement<'_>) -> Result<RouteOptions, Problem> {
    let Agreement { provider, draft, .. } = agreement;
    let mut options = route_options(&all_settings(provider, draft.settings.clone(), &draft.config))?;
    options.tls.identity = identity_of(agreement.of_gates)?;
    Ok(options)
}

/// The same values, to be added to.
pub(super) fn builder_of(credentials: &Credentials) -> CredentialsBuilder {
    let values = credentials.values();
    values.fold(CredentialsBuilder::new(), |builder, (name, value)| builder.value(name, value))
}

/// What was had, and what opens the gates.
fn beside_gates(agreement: &Agreement<'_>, had: CredentialsBuilder) -> Credentials {
    let of_gates = agreement.of_gates.values();
    of_gates.fold(had, |builder, (name, value)| builder.value(name, value)).build()
}

#[cfg(test)]
mod tests {
    use tombolo_catalog::Common;

    use super::*;

    /// The check of provider files refuses such a file already; this is the second lock.
    #[test]
    fn a_redirect_does_not_choose_any_host() {
        let common = Common::built_in().expect("the built-in table loads");
        let parsed = |hosts: &str, base_url: &str| {
            let text = format!(
                "id: acme
name: {{ en: Acme, ja: Acme }}
description: {{ en: Orders., ja: 注文を扱います。 }}
documentation: https://developers.acme.example/
hosts: [{hosts}]
base_url: {base_url}
config:
  host:
    label: {{ en: Host, ja: ホスト }}
    automatic: true
auth:
  - id: oauth2
    name: {{ en: OAuth, ja: OAuth }}
    type: oauth2
    oauth2:
      flow: authorization_code
      authorization_url: https://id.acme.example/auth
      token_url: https://id.acme.example/token
      redirect_config: {{ host: api_host }}
strip_headers: [Authorization]
test:
  - id: credential
    name: {{ en: The token is accepted, ja: トークンが受け付けられる }}
    request: {{ path: /me }}
    accept: {{ member: id }}
"
            );
            Provider::parse("acme.yaml", &text, &common).expect("a provider")
        };
        let own = parsed("'{host}.acme.example', 'id.acme.example'", "https://${config.host}.acme.example");
        let fixed = parsed("'*', 'api.acme.example'", "https://api.acme.example");
        let open = Provider { hosts: fixed.hosts.clone(), ..own.clone() };
        for (name, provider, expected) in
            [("own", own, None), ("fixed", fixed, None), ("open", open, Some("provider_file"))]
        {
            let oauth2 = provider.auth[0].oauth2().expect("a scheme");
            let refused = refuse_host_of_redirect(&provider, oauth2).err().map(|problem| problem.code);
            assert_eq!(refused, expected, "{name}");
        }
    }
}
