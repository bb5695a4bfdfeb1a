//! Whether people could sign in with the identity provider of the configuration.

use tombolo_platform::start::{StartOptions, reach_identity_provider};

use super::Check;

const SUBJECT: &str = "identity provider";

/// Asks it for what it says about itself and for its keys; nothing when there is none.
pub async fn look(options: &StartOptions) -> Option<Check> {
    let issuer = options.oidc.as_ref()?.issuer.clone();
    Some(match reach_identity_provider(options).await {
        Ok(None) => return None,
        Ok(Some(Ok(keys))) => {
            Check::good(SUBJECT, format!("{issuer} describes itself, and publishes its keys ({keys})"))
        }
        Ok(Some(Err(problem))) => {
            let fix = match problem.code {
                "oidc_misconfigured" => {
                    "Compare oidc.issuer with what the provider calls itself, character by character; docs/single-sign-on.md has the usual ones."
                        .to_owned()
                }
                _ => problem.fix.clone(),
            };
            Check::bad(SUBJECT, problem.what, fix)
        }
        Err(error) => Check::failed(SUBJECT, &error.into()),
    })
}

/// The host of the issuer, so that its clock is compared with ours as well.
pub fn host(options: &StartOptions) -> Option<String> {
    let issuer = &options.oidc.as_ref()?.issuer;
    let (scheme, rest) = issuer.split_once("://")?;
    Some(format!("{scheme}://{}", rest.split('/').next()?))
}
