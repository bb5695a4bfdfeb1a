//! Who calls, once authenticated.

use crate::api::ApiError;
use crate::model::{ADMINISTRATOR, AppId, Entity, Locale, Permission, User, UserApiScope, UserCondition};

/// The caller of an endpoint.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// Nobody in particular: the endpoint asks for no credential.
    Nobody,
    /// A user of the tenant.
    User(User),
    /// The tokens of one or more apps.
    Tokens(Vec<TokenGrant>),
    /// A token of the User API.
    UserApi(UserApiScope),
}

/// What one token of an app permits.
#[derive(Debug, Clone)]
pub(crate) struct TokenGrant {
    pub(crate) app: AppId,
    pub(crate) permissions: Vec<Permission>,
}

impl Caller {
    /// A user who logged in with a browser, now or earlier, if the user may use the service.
    pub(crate) fn of_user(user: &User) -> Result<Self, ApiError> {
        if user.condition == UserCondition::NoService {
            return Err(ApiError::no_privilege());
        }
        Ok(Self::User(user.clone()))
    }

    /// The language of messages. Tokens act as the administrator, who reads English here.
    pub(crate) fn locale(&self) -> Locale {
        match self {
            Self::User(user) => user.locale,
            _ => Locale::En,
        }
    }

    /// IANA name of the time zone in which days begin.
    pub(crate) fn timezone(&self) -> &str {
        match self {
            Self::User(user) => &user.timezone,
            _ => "UTC",
        }
    }

    /// Who is written down as the editor of a record.
    pub(crate) fn entity(&self) -> Entity {
        match self {
            Self::User(user) => Entity::new(user.code.clone(), user.name.clone()),
            _ => Entity::new(ADMINISTRATOR, ADMINISTRATOR),
        }
    }
}
