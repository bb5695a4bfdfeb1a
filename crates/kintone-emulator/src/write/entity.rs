//! Cells that name users, organizations or groups by their codes.

use serde_json::Value as Json;

use super::batch::Batch;
use super::context::WriteContext;
use super::error::WriteError;
use crate::model::{ADMINISTRATOR, Entity, Field, FieldType, Value};

impl Batch<'_> {
    /// `[{code}, …]`; a code that is not in the directory ends the request.
    pub(super) fn entities(
        &mut self,
        field: &Field,
        at: &str,
        given: Option<&Json>,
    ) -> Result<Value, WriteError> {
        let mut chosen: Vec<Entity> = Vec::new();
        let given = match given {
            None => &[][..],
            Some(Json::Array(entities)) => entities,
            Some(_) => {
                self.problems
                    .add(format!("{at}.{}.value", field.code), "The value must be an array of objects.");
                &[]
            }
        };
        for entity in given {
            let Some(code) = entity["code"].as_str().filter(|code| !code.is_empty()) else {
                self.problems.add(format!("{at}.{}.values.value", field.code), "Each entry needs a code.");
                continue;
            };
            let entity = find(&self.context, field.field_type, code)?;
            if !chosen.contains(&entity) {
                chosen.push(entity);
            }
        }
        Ok(Value::Entities(chosen))
    }
}

/// The entry of the directory that a field of this type means by a code: `GAIA_IL26` for an unknown user,
/// `GAIA_IL28` for an unknown organization or group.
pub(super) fn find(
    context: &WriteContext<'_>,
    field_type: FieldType,
    code: &str,
) -> Result<Entity, WriteError> {
    let tenant = context.tenant;
    let (found, what, error) = match field_type {
        FieldType::OrganizationSelect => {
            let found = tenant.organization(code).map(|entry| Entity::new(&*entry.code, &*entry.name));
            (found, "organization", "GAIA_IL28")
        }
        FieldType::GroupSelect => {
            (tenant.group(code).map(|entry| Entity::new(&*entry.code, &*entry.name)), "group", "GAIA_IL28")
        }
        // The administrator that API tokens act as has no entry in the directory.
        _ if code == ADMINISTRATOR => (Some(Entity::new(code, code)), "user", "GAIA_IL26"),
        _ => (tenant.user(code).map(|entry| Entity::new(&*entry.code, &*entry.name)), "user", "GAIA_IL26"),
    };
    found.ok_or_else(|| WriteError::refused(error, 400, format!("The {what} (code: {code}) is not found.")))
}
