//! People who sign in, and what they are signed in with. They belong to the installation, not to one environment.

mod attempts;
mod identifications;
mod links;
mod people;
mod set_up;
mod sign_ins;

pub use attempts::AttemptBound;
pub use identifications::Identification;
pub use links::NewPasswordLink;
pub use people::{Identity, NewUser, Role, User, UserUpdate};
pub use set_up::NewSetUpToken;
pub use sign_ins::{NewSignIn, SignIn};

use crate::commit::Act;
use crate::error::StoreError;
use crate::id::{SignInId, UserId};

/// One thing to write about people who sign in.
#[derive(Debug, Clone)]
pub enum UserChange {
    /// Makes a person. From then on nobody becomes an administrator by a set-up token.
    Insert(NewUser),
    /// Makes the first person, by the token with this hash. Refused when there is anybody, or no such token.
    SetUp(NewUser, Vec<u8>),
    /// Changes a person. What changes the password, the role or the state ends what they are signed in with; what would
    /// leave nobody who can administer is refused.
    Update(UserUpdate),
    /// Makes the link with which a person chooses a password, in the place of an earlier one.
    InsertLink(NewPasswordLink),
    /// Takes such a link, once.
    TakeLink(Vec<u8>),
    /// Ends the link of a person, if there is one.
    EndLink(UserId),
    /// Takes from a person what an identity provider calls them. Refused when nobody who can administer would be left.
    Unlink(UserId),
    /// Notes that somebody is sent to an identity provider.
    InsertIdentification(Identification),
    /// Signs a person in, unless they changed since they were read.
    InsertSignIn(NewSignIn),
    /// Notes that somebody is still there.
    TouchSignIn(SignInId),
    /// Signs a browser of a person out.
    EndSignIn(UserId, SignInId),
    /// Keeps what a server printed at its start.
    InsertSetUpToken(NewSetUpToken),
    /// Forgets how often was tried, by hash.
    ForgetAttempts(Vec<Vec<u8>>),
    /// Takes one attempt back, by hash.
    TakeBackAttempt(Vec<u8>),
}

impl UserChange {
    pub(crate) async fn apply(&self, act: &mut Act<'_>) -> Result<(), StoreError> {
        match self {
            Self::Insert(new) => {
                set_up::note(act).await?;
                people::insert(act, new).await
            }
            Self::SetUp(new, token_hash) => {
                set_up::take(act, token_hash).await?;
                people::insert(act, new).await
            }
            Self::Update(update) => people::update(act, update).await,
            Self::InsertLink(new) => links::insert(act, new).await,
            Self::TakeLink(link_hash) => links::take(act, link_hash).await,
            Self::EndLink(user) => links::end(act, user).await,
            Self::Unlink(user) => people::unlink(act, user).await,
            Self::InsertIdentification(new) => identifications::insert(act, new).await,
            Self::InsertSignIn(new) => sign_ins::insert(act, new).await,
            Self::TouchSignIn(id) => sign_ins::touch(act, id).await,
            Self::EndSignIn(user, id) => sign_ins::end(act, user, id).await,
            Self::InsertSetUpToken(new) => set_up::insert(act, new).await,
            Self::ForgetAttempts(subjects) => attempts::forget(act, subjects).await,
            Self::TakeBackAttempt(subject) => attempts::take_back(act, subject).await,
        }
    }
}
