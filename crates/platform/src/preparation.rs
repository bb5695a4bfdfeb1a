//! What somebody typed becomes something that can be tested and stored: every field accepted, entries placed, secrets
//! sealed, tokens had.

use std::collections::BTreeMap;
use std::sync::Arc;

use tombolo_auth::{Accepted, CredentialsBuilder, Form, FormEntries, Typed};
use tombolo_catalog::{AuthScheme, FieldError, Provider, SchemeKind};
use tombolo_store::{ConnectionId, Integration, Timestamp, TokenLife};
use tombolo_vault::HostSet;

use crate::access::Access;
use crate::connection_test::{self, PairedFields};
use crate::connections::{ConnectionDraft, Watch, all_settings};
use crate::credentials::{Place, Purpose, SealedCredentials, api_host, identity_of};
use crate::health::earliest;
use crate::oauth::FirstToken;
use crate::platform::Platform;
use crate::problem::{Problem, ProblemKind};
use crate::proxy::{Freshness, Learned, Plan, PlanSource, origin, route_options};

/// A draft whose every field was accepted.
pub(crate) struct Prepared {
    /// The settings that do not decide where requests go.
    pub(crate) settings: BTreeMap<String, String>,
    /// `None` when nobody has used the provider in this environment yet.
    pub(crate) integration: Option<Integration>,
    pub(crate) plan: Arc<Plan>,
    /// How long the credentials are good.
    pub(crate) life: TokenLife,
    /// When the client certificate ends, if there is one.
    pub(crate) certificate_expires_at: Option<Timestamp>,
}

impl Platform {
    /// Accepts every field of a draft, places its entries, seals its secrets and compiles it.
    pub(crate) async fn prepare(
        self: &Arc<Self>,
        access: &Access,
        id: &ConnectionId,
        version: u64,
        draft: &ConnectionDraft,
        watch: Watch<'_>,
    ) -> Result<Prepared, Problem> {
        let (integration, provider) = self.integration_to_link(access, &draft.integration).await?;
        let scheme = scheme_of(&provider, draft.auth_scheme.as_deref())?;
        if let Some(integration) = &integration {
            refuse_scheme(integration, &scheme.id)?;
        }
        if scheme.needs_browser() {
            return Err(needs_browser(scheme));
        }
        let typed = draft.fields.clone();
        let typed = self.with_client_fields(access, integration.as_ref(), &provider, scheme, typed).await?;
        let accepted = self.read_form(&provider, scheme, typed).await?;
        let settings = accept_settings(&provider, &draft.settings);
        let (accepted, (settings, routing)) = both(accepted, settings)?;
        let Accepted { config: fields, gates, certificate, credentials, entries } = accepted;
        let mut config = fields;
        config.extend(routing);
        let all_settings = all_settings(&provider, settings.clone(), &config);
        // First, because the vendor's answer may fill fields that the address needs.
        let mut options = route_options(&all_settings)?;
        options.tls.identity = identity_of(&credentials)?;
        let first =
            self.with_first_token(id, &provider, scheme, (&config, &gates), options, credentials).await?;
        let FirstToken { credentials, life, hosts: token_hosts, config: answered } = first;
        accept_answered(&provider, answered, &mut config)?;
        let origin = origin(&self.egress, &provider, &config, &gates)?;
        let hosts = api_host(origin.host(), origin.port())?;
        let hosts: HostSet = hosts.iter().chain(token_hosts.iter()).cloned().collect();
        let compile = |sealed: SealedCredentials| {
            let source = PlanSource {
                environment: access.environment.clone(),
                connection: None,
                connection_id: id.to_string(),
                integration: draft.integration.clone(),
                provider: Arc::clone(&provider),
                auth_scheme: scheme.id.clone(),
                config: config.clone(),
                settings: all_settings.clone(),
                gates: gates.clone(),
                learned: Learned::default(),
                sealed,
                freshness: Freshness::default(),
                refused: false,
                moments: self.moments(),
            };
            Plan::compile(source, &self.egress, &self.governors).map(Arc::new)
        };
        let credentials = match entries {
            FormEntries::Placed => credentials,
            FormEntries::Unplaced { secrets, keys } => {
                let (stage, fields) = placing_stage(&provider, scheme)?;
                let plan_of = |builder: CredentialsBuilder| {
                    let builder = with_values(builder, &credentials);
                    let (hosts, compile) = (hosts.clone(), &compile);
                    async move {
                        let sealed = self.seal(access, id, version, hosts, &builder.build()).await?;
                        compile(sealed)
                    }
                };
                let probe = self.probe();
                let placed =
                    connection_test::place(stage, &fields, &secrets, &keys, &probe, watch, plan_of).await?;
                with_values(placed, &credentials).build()
            }
        };
        let sealed = self.seal(access, id, version, hosts, &credentials).await?;
        let certificate_expires_at =
            certificate.map(|facts| Timestamp::from_milliseconds(facts.not_after.saturating_mul(1000)));
        let life = TokenLife { ends_at: earliest(life.ends_at, certificate_expires_at), ..life };
        Ok(Prepared { settings, integration, plan: compile(sealed)?, life, certificate_expires_at })
    }

    /// Accepts a form away from the threads that serve others: the password of a certificate file may take a while to
    /// check, which whoever made the file decides.
    pub(crate) async fn read_form(
        &self,
        provider: &Arc<Provider>,
        scheme: &AuthScheme,
        typed: Typed,
    ) -> Result<Result<Accepted, Vec<FieldError>>, Problem> {
        let (provider, scheme) = (Arc::clone(provider), scheme.id.clone());
        let now = self.now().as_milliseconds() / 1000;
        let interrupted = |what: String| {
            Problem::new(ProblemKind::Unavailable, "form_interrupted", what, "Try again in a moment.")
        };
        let permit = self.forms.acquire().await;
        let permit = permit.map_err(|_| interrupted("The server is stopping".to_owned()))?;
        let accepted = tokio::task::spawn_blocking(move || {
            let scheme = provider.scheme(&scheme)?;
            Some(Form { provider: &provider, scheme, now }.accept(&typed))
        })
        .await;
        drop(permit);
        accepted.ok().flatten().ok_or_else(|| interrupted("The form could not be read".to_owned()))
    }

    async fn seal(
        &self,
        access: &Access,
        id: &ConnectionId,
        version: u64,
        hosts: HostSet,
        credentials: &tombolo_auth::Credentials,
    ) -> Result<SealedCredentials, Problem> {
        let place = Place {
            environment: access.environment.clone(),
            purpose: Purpose::Credentials,
            object: id.to_string(),
            version,
            hosts,
        };
        self.safe.seal(&self.store, place, credentials).await
    }
}

/// Fields and settings, or what is wrong with either.
fn both(
    accepted: Result<Accepted, Vec<FieldError>>,
    settings: Result<SplitSettings, Problem>,
) -> Result<(Accepted, SplitSettings), Problem> {
    match (accepted, settings) {
        (Ok(accepted), Ok(settings)) => Ok((accepted, settings)),
        (Err(mut faults), other) => {
            faults.extend(other.err().into_iter().flat_map(|problem| problem.fields));
            Err(Problem::fields(faults))
        }
        (Ok(_), Err(problem)) => Err(problem),
    }
}

/// Takes what the vendor's answer says about the account into the configuration, as if somebody had typed it.
pub(crate) fn accept_answered(
    provider: &Provider,
    answered: BTreeMap<String, String>,
    config: &mut BTreeMap<String, String>,
) -> Result<(), Problem> {
    for (name, value) in answered {
        let Some(field) = provider.config.get(&name) else { continue };
        let accepted = field.accept(&name, &value).map_err(|fault| Problem::fields(vec![fault]))?;
        config.extend(accepted.map(|value| (name, value)));
    }
    Ok(())
}

fn scheme_of<'a>(provider: &'a Provider, wanted: Option<&str>) -> Result<&'a AuthScheme, Problem> {
    let known = || provider.auth.iter().map(|scheme| scheme.id.as_str()).collect::<Vec<_>>().join(", ");
    match wanted {
        Some(id) => provider.scheme(id).ok_or_else(|| {
            if let Some(row) = provider.impossible_scheme(id) {
                let (what, fix) = (row.says.en.trim_end_matches('.'), row.fix.en.clone());
                return Problem::invalid("impossible_combination", what, fix);
            }
            let what = format!("{} has no auth scheme `{id}`", provider.name.en);
            Problem::invalid("unknown_auth_scheme", what, format!("Choose one of: {}.", known()))
        }),
        None => provider.auth.first().ok_or_else(|| {
            Problem::invalid(
                "unknown_auth_scheme",
                "The provider has no auth scheme",
                "Mend the provider file.",
            )
        }),
    }
}

fn needs_browser(scheme: &AuthScheme) -> Problem {
    let what = format!("The auth scheme `{}` needs a person who agrees in a browser", scheme.id);
    Problem::invalid("needs_browser", what, "Link the account with `tombolo connection link`.")
}

pub(crate) fn refuse_scheme(integration: &Integration, scheme: &str) -> Result<(), Problem> {
    let allowed = &integration.auth_schemes;
    if allowed.is_empty() || allowed.iter().any(|known| known == scheme) {
        return Ok(());
    }
    let what =
        format!("The integration `{}` does not allow the auth scheme `{scheme}`", integration.unique_key);
    Err(Problem::new(
        ProblemKind::Forbidden,
        "auth_scheme_not_allowed",
        what,
        format!("Use one of: {}.", allowed.join(", ")),
    ))
}

/// The settings that do not decide where requests go, and those that do.
type SplitSettings = (BTreeMap<String, String>, BTreeMap<String, String>);

/// Whether a name means a setting and no field of an account.
pub(crate) fn is_setting(provider: &Provider, name: &str) -> bool {
    provider.config.get(name).is_none() && provider.settings.find(name).is_some()
}

/// What was given in one list as fields of the account and settings.
pub(crate) fn split_settings(
    provider: &Provider,
    given: BTreeMap<String, String>,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    given.into_iter().partition(|(name, _)| !is_setting(provider, name))
}

pub(crate) fn accept_settings(
    provider: &Provider,
    given: &BTreeMap<String, String>,
) -> Result<SplitSettings, Problem> {
    let (mut plain, mut routing) = SplitSettings::default();
    let mut faults: Vec<FieldError> = Vec::new();
    for (key, value) in given {
        match provider.settings.accept(key, value) {
            Ok((_, None)) => {}
            Ok((key, Some(value))) => {
                let routes = provider.settings.find(&key).is_some_and(|(_, setting)| setting.routes);
                if routes { &mut routing } else { &mut plain }.insert(key, value);
            }
            Err(error) => {
                let message = error.message();
                faults.push(FieldError { field: format!("settings.{key}"), code: "setting", message });
            }
        }
    }
    if faults.is_empty() { Ok((plain, routing)) } else { Err(Problem::fields(faults)) }
}

/// The stage that tells whether a secret fits a key, and the fields that the two were typed into.
fn placing_stage<'a>(
    provider: &'a Provider,
    scheme: &'a AuthScheme,
) -> Result<(&'a tombolo_catalog::Stage, PairedFields<'a>), Problem> {
    let found = match &scheme.kind {
        SchemeKind::ApiKey { field, entries: Some(entries), .. } => {
            let fits = |stage: &&tombolo_catalog::Stage| {
                stage.for_each.as_ref() == Some(&entries.by)
                    && stage.capability.is_none()
                    && stage.applies_to(&scheme.id)
            };
            let fields = PairedFields { secret: field, key: &entries.by };
            provider.test.iter().find(fits).map(|stage| (stage, fields))
        }
        _ => None,
    };
    found.ok_or_else(|| {
        let fix = "Give as many of one as of the other, in the same order.";
        Problem::invalid("counts_differ", "The numbers of keys and of what they are for differ", fix)
    })
}

/// Adds what is no entry, such as the credentials of gates, to entries that were placed.
fn with_values(builder: CredentialsBuilder, all: &tombolo_auth::Credentials) -> CredentialsBuilder {
    all.values().fold(builder, |builder, (name, value)| builder.value(name, value))
}
