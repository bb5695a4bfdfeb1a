//! The control API over HTTP: JSON in, JSON out, on a port of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

use super::{Control, ControlError};
use crate::http::{Answer, AnswerBody, Request, Respond};
use crate::model::{ApiToken, BasicGate, OAuthClient, Permission, UserCondition};
use crate::seed::AppSeed;

/// Answers what arrives at the control port.
pub(crate) struct ControlApi {
    control: Control,
}

/// Why a control call is refused.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("there is no such control call; GET / lists them")]
    NotFound,
    #[error("the body does not fit: {0}")]
    Body(#[from] serde_json::Error),
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// The calls, as `GET /` lists them.
const CALLS: [&str; 27] = [
    "GET /requests",
    "DELETE /requests",
    "GET /faults",
    "POST /faults {effect: {latency: {milliseconds}}, tenant?, method?, path?, skip?, count?}",
    "DELETE /faults",
    "PUT /clock {now} or {advance_seconds}",
    "POST /reset",
    "PUT /tenants/{tenant}/tokens/{token} {deployed?, permissions?}",
    "DELETE /tenants/{tenant}/tokens/{token}",
    "PUT /tenants/{tenant}/users/{code} {condition?, password?}",
    "PUT /tenants/{tenant}/basic-gate {username, password} or null",
    "PUT /tenants/{tenant}/allowed-networks [cidr, …]",
    "POST /tenants/{tenant}/apps {id, name, fields, …}",
    "POST /tenants/{tenant}/apps/{app}/records [{code: value}, …]",
    "POST /tenants/{tenant}/apps/{app}/tokens {token, permissions, deployed?}",
    "POST /tenants/{tenant}/oauth-clients {redirect_uris}",
    "PUT /tenants/{tenant}/oauth-clients {id, secret, name, redirect_uris, users?, rotates_refresh_tokens?}",
    "DELETE /tenants/{tenant}/oauth-clients/{id}",
    "DELETE /tenants/{tenant}/access-tokens {client?, user?}",
    "DELETE /tenants/{tenant}/refresh-tokens {client?, user?}",
    "GET /tenants/{tenant}/token-requests",
    "POST /tenants/{tenant}/sessions {user}",
    "DELETE /tenants/{tenant}/sessions {user?}",
    "DELETE /tenants/{tenant}/request-tokens {user?}",
    "POST /tenants/{tenant}/client-certificates {user, expires_at?, pfx_password?}",
    "DELETE /tenants/{tenant}/client-certificates/{user}",
    "PUT /tenants/{tenant}/certificate-of-another-user true or false",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    now: Option<Timestamp>,
    #[serde(default)]
    advance_seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenChange {
    deployed: Option<bool>,
    permissions: Option<Vec<Permission>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserChange {
    condition: Option<UserCondition>,
    password: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOAuthClient {
    redirect_uris: Vec<String>,
}

/// Whose tokens or sessions are meant; everybody's when it names nobody.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Holder {
    client: Option<String>,
    user: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewClientCertificate {
    user: String,
    expires_at: Option<Timestamp>,
    pfx_password: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSession {
    user: String,
}

impl Respond for ControlApi {
    async fn respond(&self, request: Request) -> Option<http::Response<AnswerBody>> {
        let (status, content) = match self.run(&request) {
            Ok(content) => (StatusCode::OK, content),
            Err(refusal) => {
                let status = match refusal {
                    Refusal::NotFound
                    | Refusal::Control(
                        ControlError::UnknownTenant(_)
                        | ControlError::UnknownToken
                        | ControlError::UnknownUser(_)
                        | ControlError::UnknownApp(_)
                        | ControlError::UnknownOAuthClient(_)
                        | ControlError::NoClientCertificates,
                    ) => StatusCode::NOT_FOUND,
                    Refusal::Body(_) | Refusal::Control(_) => StatusCode::BAD_REQUEST,
                };
                (status, json!({"error": refusal.to_string()}))
            }
        };
        Some(Answer::json(&content).with_status(status).into_response(None, None))
    }
}

impl ControlApi {
    pub(crate) fn new(control: Control) -> Self {
        Self { control }
    }

    fn run(&self, request: &Request) -> Result<Json, Refusal> {
        let decoded = percent_encoding::percent_decode_str(&request.path).decode_utf8_lossy();
        let segments: Vec<&str> = decoded.split('/').filter(|segment| !segment.is_empty()).collect();
        let control = &self.control;
        match (&request.method, segments.as_slice()) {
            (&Method::GET, []) => {
                return Ok(json!({"tenants": control.tenants(), "now": control.now(), "calls": CALLS}));
            }
            (&Method::GET, ["requests"]) => return Ok(json!({"requests": control.requests()})),
            (&Method::GET, ["faults"]) => return Ok(json!({"faults": control.faults()})),
            (&Method::DELETE, ["requests"]) => control.clear_requests(),
            (&Method::DELETE, ["faults"]) => control.clear_faults(),
            (&Method::POST, ["faults"]) => control.inject(body(request)?),
            (&Method::POST, ["reset"]) => control.reset()?,
            (&Method::PUT, ["clock"]) => {
                let change: ClockChange = body(request)?;
                if let Some(now) = change.now {
                    control.set_clock(now);
                }
                control.advance_clock(SignedDuration::from_secs(change.advance_seconds));
                return Ok(json!({"now": control.now()}));
            }
            (method, ["tenants", tenant, rest @ ..]) => {
                return self.run_on_tenant(request, method, tenant, rest);
            }
            _ => return Err(Refusal::NotFound),
        }
        Ok(json!({}))
    }

    fn run_on_tenant(
        &self,
        request: &Request,
        method: &Method,
        tenant: &str,
        segments: &[&str],
    ) -> Result<Json, Refusal> {
        let control = &self.control;
        match (method, segments) {
            (&Method::DELETE, ["tokens", token]) => control.revoke_token(tenant, token)?,
            (&Method::PUT, ["tokens", token]) => {
                let change: TokenChange = body(request)?;
                if let Some(deployed) = change.deployed {
                    control.set_token_deployed(tenant, token, deployed)?;
                }
                if let Some(permissions) = change.permissions {
                    control.set_token_permissions(tenant, token, permissions)?;
                }
            }
            (&Method::PUT, ["users", code]) => {
                let change: UserChange = body(request)?;
                if let Some(condition) = change.condition {
                    control.set_user_condition(tenant, code, condition)?;
                }
                if let Some(password) = change.password {
                    control.set_password(tenant, code, &password)?;
                }
            }
            (&Method::PUT, ["basic-gate"]) => {
                control.set_basic_gate(tenant, body::<Option<BasicGate>>(request)?)?;
            }
            (&Method::PUT, ["allowed-networks"]) => control.set_allowed_networks(tenant, body(request)?)?,
            (&Method::POST, ["apps"]) => control.add_app(tenant, &body::<AppSeed>(request)?)?,
            (&Method::POST, ["apps", app, "records"]) => {
                let records: Vec<Map<String, Json>> = body(request)?;
                let ids = control.add_records(tenant, number(app)?, &records)?;
                return Ok(json!({"ids": ids}));
            }
            (&Method::POST, ["apps", app, "tokens"]) => {
                control.add_token(tenant, number(app)?, body::<ApiToken>(request)?)?;
            }
            _ => return self.run_on_logins(request, method, tenant, segments),
        }
        Ok(json!({}))
    }

    /// OAuth clients, tokens and sessions.
    fn run_on_logins(
        &self,
        request: &Request,
        method: &Method,
        tenant: &str,
        segments: &[&str],
    ) -> Result<Json, Refusal> {
        let control = &self.control;
        match (method, segments) {
            (&Method::POST, ["oauth-clients"]) => {
                let new: NewOAuthClient = body(request)?;
                let redirect_uris: Vec<&str> = new.redirect_uris.iter().map(String::as_str).collect();
                return Ok(json!(control.add_oauth_client(tenant, &redirect_uris)?));
            }
            (&Method::PUT, ["oauth-clients"]) => {
                control.set_oauth_client(tenant, body::<OAuthClient>(request)?)?;
            }
            (&Method::DELETE, ["oauth-clients", id]) => control.remove_oauth_client(tenant, id)?,
            (&Method::DELETE, ["access-tokens"]) => {
                let Holder { client, user } = holder(request)?;
                let ended = control.expire_access_tokens(tenant, client.as_deref(), user.as_deref())?;
                return Ok(json!({"ended": ended}));
            }
            (&Method::DELETE, ["refresh-tokens"]) => {
                let Holder { client, user } = holder(request)?;
                let ended = control.revoke_refresh_tokens(tenant, client.as_deref(), user.as_deref())?;
                return Ok(json!({"ended": ended}));
            }
            (&Method::GET, ["token-requests"]) => {
                return Ok(json!({"count": control.count_token_requests(tenant)}));
            }
            (&Method::POST, ["sessions"]) => {
                return Ok(json!(control.begin_session(tenant, &body::<NewSession>(request)?.user)?));
            }
            (&Method::DELETE, ["sessions"]) => {
                let ended = control.end_sessions(tenant, holder(request)?.user.as_deref())?;
                return Ok(json!({"ended": ended}));
            }
            (&Method::DELETE, ["request-tokens"]) => {
                control.renew_request_tokens(tenant, holder(request)?.user.as_deref())?;
            }
            (&Method::POST, ["client-certificates"]) => {
                let new: NewClientCertificate = body(request)?;
                let made = control.issue_client_certificate(tenant, &new.user, new.expires_at)?;
                let pfx = new.pfx_password.map(|password| made.pfx(&password)).transpose();
                let pfx = pfx.map_err(ControlError::from)?.map(|pfx| STANDARD.encode(pfx));
                return Ok(json!({
                    "certificate_pem": made.certificate_pem,
                    "private_key_pem": made.private_key_pem,
                    "pfx": pfx,
                }));
            }
            (&Method::DELETE, ["client-certificates", user]) => {
                return Ok(json!({"ended": control.revoke_client_certificates(tenant, user)?}));
            }
            (&Method::PUT, ["certificate-of-another-user"]) => {
                control.set_certificate_of_another_user(tenant, body(request)?)?;
            }
            _ => return Err(Refusal::NotFound),
        }
        Ok(json!({}))
    }
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Refusal> {
    Ok(serde_json::from_slice(&request.body)?)
}

/// The holder that a body names; everybody when there is no body.
fn holder(request: &Request) -> Result<Holder, Refusal> {
    if request.body.is_empty() { Ok(Holder::default()) } else { body(request) }
}

fn number(segment: &str) -> Result<u64, Refusal> {
    segment.parse().map_err(|_| Refusal::NotFound)
}
