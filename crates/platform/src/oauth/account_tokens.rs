//! Tokens of accounts that need nobody's agreement: clients that act for themselves, logins, keys that sign, roles.

use std::collections::BTreeMap;

use http::header::DATE;
use tombolo_auth::{
    Credentials, ExchangeAnswer, Grant, LoginExchange, RoleExchange, Step, Tokens, sign_token,
};
use tombolo_catalog::{AuthScheme, Flow, GateKind, Login, OAuth2, Provider, SchemeKind};
use tombolo_egress::RouteOptions;
use tombolo_store::{ConnectionId, Timestamp, TokenLife};
use tombolo_vault::{BoundHost, HostRole, HostSet};

use super::callback::spread;
use super::exchange::{Client, Dated, Exchange, Unanswered, life_of};
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};

/// An account, and what is asked for on its behalf.
pub(super) struct Account<'a> {
    pub(super) provider: &'a Provider,
    pub(super) scheme: &'a AuthScheme,
    pub(super) config: &'a BTreeMap<String, String>,
    pub(super) gates: &'a [GateKind],
    pub(super) options: RouteOptions,
    /// What was typed, and what came of it before.
    pub(super) known: &'a Credentials,
}

/// The hosts that secrets of an account may go to.
pub(super) enum Reach<'a> {
    /// Those that the secret was bound to when it was typed.
    Bound(&'a HostSet),
    /// Those of the provider's file, and those that the vendor's answers name as long as the file's patterns permit them:
    /// the secret was typed just now, and is bound to what was reached.
    Learning(HostSet),
}

/// A first token and what belongs to it.
pub(crate) struct FirstToken {
    pub(crate) credentials: Credentials,
    pub(crate) life: TokenLife,
    /// The hosts that the secret was sent to.
    pub(crate) hosts: HostSet,
    /// Fields of the configuration that the vendor filled.
    pub(crate) config: BTreeMap<String, String>,
}

impl Platform {
    /// The first token of an account that needs nobody's agreement; other credentials are complete as they were typed.
    pub(crate) async fn with_first_token(
        &self,
        id: &ConnectionId,
        provider: &Provider,
        scheme: &AuthScheme,
        (config, gates): (&BTreeMap<String, String>, &[GateKind]),
        options: RouteOptions,
        typed: Credentials,
    ) -> Result<FirstToken, Problem> {
        let mut reach = Reach::Learning(self.token_hosts(provider, scheme, config, gates)?);
        let now = self.now();
        let account = Account { provider, scheme, config, gates, options, known: &typed };
        let tokens = self.account_tokens(account, &mut reach).await.map_err(Unanswered::into_problem)?;
        let hosts = match reach {
            Reach::Learning(hosts) => hosts,
            Reach::Bound(hosts) => hosts.clone(),
        };
        Ok(match tokens {
            None => {
                // What was typed may say itself when it ends.
                let ends_at = typed
                    .claimed_end()
                    .map(|seconds| Timestamp::from_milliseconds(seconds.saturating_mul(1000)));
                let life = TokenLife { ends_at, ..TokenLife::default() };
                FirstToken { credentials: typed, life, hosts, config: BTreeMap::new() }
            }
            Some(tokens) => FirstToken {
                life: life_of(scheme, &tokens, now, spread(id)),
                credentials: tokens.credentials,
                hosts,
                config: tokens.config,
            },
        })
    }

    /// New tokens of an account; `None` when its scheme has none.
    pub(super) async fn account_tokens(
        &self,
        account: Account<'_>,
        reach: &mut Reach<'_>,
    ) -> Result<Option<Tokens>, Unanswered> {
        let Account { scheme, config, known, .. } = &account;
        let tokens = match &scheme.kind {
            SchemeKind::OAuth2(oauth2) if oauth2.flow == Flow::ClientCredentials => {
                self.client_tokens(&account, oauth2, reach).await?
            }
            SchemeKind::Login { login, .. } => self.login_tokens(&account, login, reach).await?,
            SchemeKind::Jwt { jwt, .. } => {
                let step = sign_token(jwt, config, known, self.moment()?);
                self.drive(step, reach.hosts(), &account.options, Dated::No, |_| unasked()).await?
            }
            SchemeKind::AwsSigV4(aws) => match &aws.assume_role {
                None => return Ok(None),
                Some(role) => {
                    let moment = self.moment()?;
                    let exchange = RoleExchange { aws, role, config, credentials: known, moment };
                    let answered = |answer: &ExchangeAnswer<'_>| exchange.answered(answer);
                    self.drive(exchange.begin(), reach.hosts(), &account.options, Dated::Yes, answered)
                        .await?
                }
            },
            SchemeKind::OAuth2(_)
            | SchemeKind::ApiKey { .. }
            | SchemeKind::SessionCookie { .. }
            | SchemeKind::Basic { .. }
            | SchemeKind::EncodedPassword { .. }
            | SchemeKind::Unauthenticated
            | SchemeKind::Template
            | SchemeKind::OAuth1(_) => return Ok(None),
        };
        Ok(Some(tokens))
    }

    async fn client_tokens(
        &self,
        account: &Account<'_>,
        oauth2: &OAuth2,
        reach: &Reach<'_>,
    ) -> Result<Tokens, Unanswered> {
        let scopes: Vec<&str> = oauth2.default_scopes().collect();
        let scope = (!scopes.is_empty()).then(|| scopes.join(&oauth2.scope_separator));
        let exchange = Exchange {
            provider: account.provider,
            oauth2,
            config: account.config,
            gates: account.gates,
            hosts: reach.hosts(),
            options: account.options.clone(),
            client: Client::Account(account.known),
            grant: Grant::ClientCredentials { scope: scope.as_deref() },
            previous: Some(account.known),
            keeps_client: false,
        };
        self.exchange(exchange).await
    }

    async fn login_tokens(
        &self,
        account: &Account<'_>,
        login: &Login,
        reach: &mut Reach<'_>,
    ) -> Result<Tokens, Unanswered> {
        let mut exchange = LoginExchange::new(login, account.config, account.known, self.moment()?);
        let dated = if login.assertion.is_some() { Dated::Yes } else { Dated::No };
        let (mut step, mut date) = (exchange.begin(), None);
        loop {
            match step {
                Step::Done(tokens) => return Ok(tokens),
                Step::Failed(failure) => return Err(self.unanswered(failure, dated, date.as_ref())),
                Step::Send(request) => {
                    if let Reach::Learning(hosts) = reach {
                        *hosts = self.learned(account.provider, hosts, &request.url)?;
                    }
                    let sent = self.send_secret(request, reach.hosts(), &account.options).await?;
                    let (status, headers, body) = sent;
                    step = exchange.answered(&ExchangeAnswer { status, headers: &headers, body: &body });
                    date = headers.get(DATE).cloned();
                }
            }
        }
    }

    /// The hosts with that of an address, if the provider's file permits it.
    fn learned(&self, provider: &Provider, hosts: &HostSet, url: &str) -> Result<HostSet, Problem> {
        let refused = |reason: String| {
            let fix = "Check the fields that make up the address, and what the vendor answers.";
            Problem::new(ProblemKind::Upstream, "address_refused", reason, fix)
        };
        let (origin, _) = self.egress.parse_url(url).map_err(|refusal| refused(refusal.to_string()))?;
        if !provider.hosts.iter().any(|pattern| pattern.matches(origin.host())) {
            return Err(refused(format!("`{}` is not a host of this provider", origin.host())));
        }
        let bound = BoundHost::new(HostRole::TokenEndpoint, origin.host(), origin.port());
        let bound = bound.map_err(|error| refused(error.to_string()))?;
        Ok(hosts.iter().cloned().chain([bound]).collect())
    }
}

impl Reach<'_> {
    fn hosts(&self) -> &HostSet {
        match self {
            Self::Bound(hosts) => hosts,
            Self::Learning(hosts) => hosts,
        }
    }
}

/// A token that is signed here asks nobody, so nobody answers.
fn unasked() -> Step {
    Step::Failed(tombolo_auth::ExchangeFailure::Nothing)
}
