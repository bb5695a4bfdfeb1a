//! `tombolo environment`

use clap::{Args, Subcommand};
use tombolo_api::{Environment as Known, UpdateEnvironment};

use super::arguments::moment;
use super::{GlobalOptions, on_api};
use crate::connect_api::WhereNothingIs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, properties};

/// See and change what the administrators of an environment decided: that of the API key, or of --environment.
#[derive(Debug, Subcommand)]
pub enum Environment {
    /// Show it.
    Show,
    /// Change it; the audit trail keeps who did.
    #[command(after_help = "Examples:
  tombolo environment update --allowed-origin https://app.example.com
  tombolo environment update --return-url https://app.example.com/linked
  tombolo environment update --confirm-authorizations false")]
    Update(Update),
}

/// What changes; what is left out stays.
#[derive(Debug, Args)]
pub struct Update {
    /// Whether somebody has to confirm whose account it is before an authorization becomes a connection. Without it a person
    /// who follows a link that was meant for another links their account for that one, and only a page warns them.
    #[arg(long, value_name = "BOOLEAN")]
    confirm_authorizations: Option<bool>,
    /// The origin of a page of yours, such as `https://app.example.com`: what proves that a browser has finished is told to
    /// such pages alone; can be repeated, takes the place of all there are, and an empty one stands for none.
    #[arg(long = "allowed-origin", value_name = "ORIGIN")]
    allowed_origins: Vec<String>,
    /// The address of a page of yours where a browser that has finished may be sent to; like --allowed-origin.
    #[arg(long = "return-url", value_name = "URL")]
    return_urls: Vec<String>,
}

impl Environment {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        on_api(global, WhereNothingIs::Refuse, output, async |api| {
            let environment = match self {
                Self::Show => api.read_environment().await?,
                Self::Update(Update { confirm_authorizations, allowed_origins, return_urls }) => {
                    let change = UpdateEnvironment {
                        confirm_authorizations,
                        allowed_origins: all(allowed_origins),
                        return_urls: all(return_urls),
                    };
                    if change == UpdateEnvironment::default() {
                        return Err(Failure::usage("nothing is to change", "See --help for what can.").into());
                    }
                    api.update_environment(&change).await?
                }
            };
            output.show(&environment, words)?;
            Ok(Exit::Done)
        })
        .await
    }
}

/// What takes the place of all there are; `None` when nothing was said.
fn all(given: Vec<String>) -> Option<Vec<String>> {
    (!given.is_empty()).then(|| given.into_iter().filter(|text| !text.is_empty()).collect())
}

fn words(environment: &Known) -> String {
    properties([
        ("name", environment.name.clone()),
        ("id", environment.id.clone()),
        ("confirm authorizations", environment.confirm_authorizations.to_string()),
        ("allowed origins", environment.allowed_origins.join(", ")),
        ("return URLs", environment.return_urls.join(", ")),
        ("created", moment(environment.created_at)),
    ])
}
