//! `tombolo environment`

use clap::{Args, Subcommand};
use tombolo_api::{Environment as Known, UpdateConnectUi, UpdateEnvironment};

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
  tombolo environment update --connect-ui-name Acme --connect-ui-light '#1d4ed8' --connect-ui-dark '#93c5fd'
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
    #[command(flatten)]
    look: Look,
}

/// How the pages look on which somebody links an account; an empty value takes back.
#[derive(Debug, Args)]
#[command(next_help_heading = "How the pages look on which somebody links an account")]
pub struct Look {
    /// What people call your application: “You are connecting your account to NAME”.
    #[arg(long = "connect-ui-name", value_name = "NAME")]
    display_name: Option<String>,
    /// The https address of its logo, without a query.
    #[arg(long = "connect-ui-logo", value_name = "URL")]
    logo_url: Option<String>,
    /// The colour of what can be pressed, in daylight, such as `#0f766e`; one that could not be read is made darker.
    #[arg(long = "connect-ui-light", value_name = "COLOUR")]
    primary_light: Option<String>,
    /// The same in the dark, where it is made lighter.
    #[arg(long = "connect-ui-dark", value_name = "COLOUR")]
    primary_dark: Option<String>,
    /// `light`, `dark` or `system`: what the browser prefers.
    #[arg(long = "connect-ui-theme", value_name = "THEME")]
    default_theme: Option<String>,
    /// Whether the pages say what they are made with.
    #[arg(long = "connect-ui-watermark", value_name = "BOOLEAN")]
    show_watermark: Option<bool>,
}

impl Environment {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        on_api(global, WhereNothingIs::Refuse, output, async |api| {
            let environment = match self {
                Self::Show => api.read_environment().await?,
                Self::Update(Update { confirm_authorizations, allowed_origins, return_urls, look }) => {
                    let change = UpdateEnvironment {
                        confirm_authorizations,
                        allowed_origins: all(allowed_origins),
                        return_urls: all(return_urls),
                        connect_ui: changed(look),
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

fn changed(look: Look) -> Option<UpdateConnectUi> {
    let Look { display_name, logo_url, primary_light, primary_dark, default_theme, show_watermark } = look;
    let change = UpdateConnectUi {
        display_name,
        logo_url,
        primary_light,
        primary_dark,
        default_theme,
        show_watermark,
    };
    (change != UpdateConnectUi::default()).then_some(change)
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
        ("name on pages", environment.connect_ui.display_name.clone()),
        ("logo on pages", environment.connect_ui.logo_url.clone()),
        ("colours of pages", colours(environment)),
        ("theme of pages", environment.connect_ui.default_theme.clone()),
        ("created", moment(environment.created_at)),
    ])
}

fn colours(environment: &Known) -> String {
    let look = &environment.connect_ui;
    let given = [&look.primary_light, &look.primary_dark].into_iter().filter(|colour| !colour.is_empty());
    given.map(String::as_str).collect::<Vec<_>>().join(", ")
}
