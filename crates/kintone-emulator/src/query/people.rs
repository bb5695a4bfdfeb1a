//! Codes of users, organizations and groups on the right side of a comparison.

use super::context::QueryContext;
use super::error::QueryError;
use super::function::{self, Meaning};
use super::syntax::Literal;
use super::test::CellTest;
use crate::model::{ADMINISTRATOR, FieldType};

/// Which part of the tenant's directory the codes in a field name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directory {
    Users,
    Organizations,
    Groups,
}

impl Directory {
    /// The directory of a field that names people; `None` for other fields.
    pub(super) fn of(field_type: FieldType) -> Option<Self> {
        match field_type {
            FieldType::UserSelect | FieldType::Creator | FieldType::Modifier | FieldType::StatusAssignee => {
                Some(Self::Users)
            }
            FieldType::OrganizationSelect => Some(Self::Organizations),
            FieldType::GroupSelect => Some(Self::Groups),
            _ => None,
        }
    }

    /// A condition on the codes in a cell. `None` means that the service ignores the condition:
    /// `PRIMARY_ORGANIZATION()` of a user who has none.
    pub(super) fn test(
        self,
        context: &QueryContext,
        values: &[Literal],
        negated: bool,
    ) -> Result<Option<CellTest>, QueryError> {
        let mut names = Vec::new();
        let mut or_empty = false;
        for value in values {
            match value {
                Literal::Text(text) | Literal::Number(text) if text.is_empty() => or_empty = true,
                Literal::Text(text) | Literal::Number(text) => names.push(self.code(context, text)?),
                Literal::Call(call) => match (function::meaning(call, context)?, self) {
                    (Meaning::LoginUser, Directory::Users) => names.push(context.login_name.to_owned()),
                    (Meaning::PrimaryOrganization, Directory::Organizations) => {
                        let user = context.tenant.user(context.login_name);
                        match user.and_then(|user| user.organizations.first()) {
                            Some(code) => names.push(code.clone()),
                            None => return Ok(None),
                        }
                    }
                    _ => {
                        return Err(QueryError::refused(
                            "GAIA_IQ23",
                            format!("{} cannot be used here.", call.name),
                        ));
                    }
                },
            }
        }
        Ok(Some(CellTest::Chosen { names, or_empty, negated }))
    }

    /// The code as the directory writes it. The administrator that API tokens act as needs no entry.
    fn code(self, context: &QueryContext, code: &str) -> Result<String, QueryError> {
        let tenant = context.tenant;
        let (found, what, error) = match self {
            Self::Users if code == ADMINISTRATOR => (Some(code), "user", "GAIA_IL26"),
            Self::Users => (tenant.user(code).map(|user| user.code.as_str()), "user", "GAIA_IL26"),
            Self::Organizations => {
                (tenant.organization(code).map(|entry| entry.code.as_str()), "organization", "GAIA_IL28")
            }
            Self::Groups => (tenant.group(code).map(|entry| entry.code.as_str()), "group", "GAIA_IL28"),
        };
        let missing = || QueryError::refused(error, format!("There is no {what} with the code \"{code}\"."));
        found.map(str::to_owned).ok_or_else(missing)
    }
}
