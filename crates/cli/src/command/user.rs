//! `tombolo user`

use clap::{Args, Subcommand, ValueEnum};
use tombolo_api::{InviteUser, PasswordLink, UpdateUser, UserRole, UserState, Users};

use super::arguments::{Confirmation, moment};
use super::{GlobalOptions, on_api};
use crate::connect_api::{Api, WhereNothingIs};
use crate::exit::Exit;
use crate::output::{Output, say, table};

/// The people who sign in to the dashboard.
#[derive(Debug, Subcommand)]
pub enum User {
    /// List them.
    List,
    /// Invite somebody. The link is printed this once; pass it on to them.
    #[command(after_help = "Examples:
  tombolo user invite anna@example.com --role admin
  tombolo user invite ben --name 'Ben Sato'")]
    Invite(Invite),
    /// Change what somebody may do, and sign them out everywhere.
    Role(ChangeRole),
    /// Shut somebody out at once.
    Disable(Disable),
    /// Let somebody in again who was shut out.
    Enable(Named),
    /// Make a link under which somebody chooses another password.
    Reset(Named),
}

/// Who is invited.
#[derive(Debug, Args)]
pub struct Invite {
    /// What they will type to sign in: a name or a mail address.
    login: String,
    /// What others see of them; the login unless given.
    #[arg(long)]
    name: Option<String>,
    /// What they may do.
    #[arg(long, value_enum, default_value = "member")]
    role: Role,
}

/// Whose role changes.
#[derive(Debug, Args)]
pub struct ChangeRole {
    /// Login or id.
    user: String,
    /// What they may do.
    #[arg(value_enum)]
    role: Role,
}

/// Who is shut out.
#[derive(Debug, Args)]
pub struct Disable {
    /// Login or id.
    user: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

/// Who is meant.
#[derive(Debug, Args)]
pub struct Named {
    /// Login or id.
    user: String,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Role {
    /// Everything.
    Admin,
    /// Link and use accounts, and ask for providers.
    Member,
    /// Look.
    Viewer,
}

impl User {
    pub async fn run(self, global: &GlobalOptions, output: Output) -> anyhow::Result<Exit> {
        on_api(global, WhereNothingIs::Refuse, output, async |api| self.on(api, output).await).await
    }

    async fn on(self, api: &Api, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List => output.show(&api.list_users().await?, list)?,
            Self::Invite(Invite { login, name, role }) => {
                let invitation = InviteUser { login, display_name: name, role: role.into() };
                show_link(&api.invite_user(&invitation).await?, output)?;
            }
            Self::Role(ChangeRole { user, role }) => {
                let change = UpdateUser { role: Some(role.into()), ..UpdateUser::default() };
                let changed = api.update_user(&user, &change).await?;
                output.show(&changed, |user| format!("`{}` is {} now", user.login, word(user.role)))?;
            }
            Self::Disable(Disable { user, confirmation }) => {
                confirmation.ask(&format!("Shut `{user}` out?"))?;
                enable(api, &user, false, output).await?;
            }
            Self::Enable(Named { user }) => enable(api, &user, true, output).await?,
            Self::Reset(Named { user }) => show_link(&api.reset_password(&user).await?, output)?,
        }
        Ok(Exit::Done)
    }
}

async fn enable(api: &Api, user: &str, enabled: bool, output: Output) -> anyhow::Result<()> {
    let change = UpdateUser { enabled: Some(enabled), ..UpdateUser::default() };
    let changed = api.update_user(user, &change).await?;
    output.show(&changed, |user| format!("`{}` is {} now", user.login, state(user.state)))
}

fn show_link(link: &PasswordLink, output: Output) -> anyhow::Result<()> {
    output.show(link, |link| link.link.clone())?;
    let (login, until) = (&link.user.login, moment(link.expires_at));
    say(format!(
        "This link is shown this once. Whoever opens it first chooses the password of `{login}`, until {until}."
    ));
    Ok(())
}

fn list(users: &Users) -> String {
    if users.users.is_empty() {
        return "nobody signs in yet: invite somebody with `tombolo user invite LOGIN --role admin`, or open the address that the server printed at its start".to_owned();
    }
    let rows = users.users.iter().map(|user| {
        [
            user.login.clone(),
            user.display_name.clone(),
            word(user.role).to_owned(),
            state(user.state).to_owned(),
            user.seen_at.map_or_else(|| "never".to_owned(), moment),
            user.id.clone(),
        ]
    });
    table(["login", "name", "role", "state", "last signed in", "id"], rows)
}

fn word(role: UserRole) -> &'static str {
    match role {
        UserRole::Admin => "admin",
        UserRole::Member => "member",
        UserRole::Viewer => "viewer",
    }
}

fn state(state: UserState) -> &'static str {
    match state {
        UserState::Active => "active",
        UserState::Invited => "invited",
        UserState::Disabled => "disabled",
    }
}

impl From<Role> for UserRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Admin => Self::Admin,
            Role::Member => Self::Member,
            Role::Viewer => Self::Viewer,
        }
    }
}
