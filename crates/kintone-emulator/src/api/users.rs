//! User API: users, and what they belong to.

use serde_json::{Value as Json, json};

use super::{ApiError, Call, organizations};
use crate::auth::Caller;
use crate::http::{Answer, Parameters};
use crate::model::{Locale, Tenant, User, UserApiScope, UserCondition};

/// `users.json`: by ids, by codes, or page by page.
pub(super) fn list(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let selection = Selection::read(call)?;
    let users: Vec<Json> = selection.of(&tenant.users, |user| (user.id, &user.code)).map(describe).collect();
    Ok(Answer::json(&json!({"users": users})))
}

/// `POST users.json`.
pub(super) fn add(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    require_editor(call, UserApiScope::ReadWrite)?;
    let mut users = tenant.users.clone();
    for (place, entry) in call.parameters.list("users", 100)?.iter().enumerate() {
        let entry = Parameters::from_json(entry.clone());
        let (code, name) = (entry.text("code")?, entry.text("name")?);
        if users.iter().any(|user| user.code.eq_ignore_ascii_case(&code)) {
            return Err(ApiError::invalid(&format!("users[{place}].code"), "The login name is in use."));
        }
        users.push(User {
            id: users.iter().map(|user| user.id).max().unwrap_or(0) + 1,
            code,
            name,
            password: entry.optional_text("password")?,
            email: entry.optional_text("email")?.unwrap_or_default(),
            timezone: entry.optional_text("timezone")?.unwrap_or_else(|| "UTC".to_owned()),
            ..User::default()
        });
    }
    tenant.users = users;
    Ok(Answer::json(&json!({})))
}

/// `PUT users.json`: changes the members that are given.
pub(super) fn update(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    require_editor(call, UserApiScope::ReadWrite)?;
    let mut users = tenant.users.clone();
    for entry in call.parameters.list("users", 100)? {
        let entry = Parameters::from_json(entry.clone());
        let code = entry.text("code")?;
        let user = users.iter_mut().find(|user| user.code == code);
        let user = user.ok_or_else(|| ApiError::new("GAIA_IL26", 400))?;
        user.name = entry.optional_text("name")?.unwrap_or_else(|| user.name.clone());
        user.email = entry.optional_text("email")?.unwrap_or_else(|| user.email.clone());
        user.password = entry.optional_text("password")?.or_else(|| user.password.clone());
    }
    tenant.users = users;
    Ok(Answer::json(&json!({})))
}

/// `DELETE users.json`, for which a token needs the widest scope.
pub(super) fn delete(tenant: &mut Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    require_editor(call, UserApiScope::DangerousZone)?;
    call.parameters.list("codes", 100)?;
    let codes = call.parameters.texts("codes")?.unwrap_or_default();
    if codes.iter().any(|code| tenant.user(code).is_none()) {
        return Err(ApiError::new("GAIA_IL26", 400));
    }
    tenant.users.retain(|user| !codes.contains(&user.code));
    Ok(Answer::json(&json!({})))
}

/// `user/organizations.json`, the primary one first.
pub(super) fn organizations_of_user(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let user = user(tenant, call)?;
    let titles: Vec<Json> = user
        .organizations
        .iter()
        .filter_map(|code| tenant.organization(code))
        .map(|organization| json!({"organization": organizations::describe(organization), "title": null}))
        .collect();
    Ok(Answer::json(&json!({"organizationTitles": titles})))
}

/// `user/groups.json`.
pub(super) fn groups_of_user(tenant: &Tenant, call: &Call<'_>) -> Result<Answer, ApiError> {
    let user = user(tenant, call)?;
    let groups: Vec<Json> =
        user.groups.iter().filter_map(|code| tenant.group(code)).map(organizations::describe_group).collect();
    Ok(Answer::json(&json!({"groups": groups})))
}

fn user<'t>(tenant: &'t Tenant, call: &Call<'_>) -> Result<&'t User, ApiError> {
    require_reader(call)?;
    let code = call.parameters.text("code")?;
    tenant.user(&code).ok_or_else(|| ApiError::new("GAIA_IL26", 404))
}

/// Users may read the directory, and so may every scope of a token.
pub(super) fn require_reader(call: &Call<'_>) -> Result<(), ApiError> {
    match call.caller {
        Caller::User(_) | Caller::UserApi(_) => Ok(()),
        Caller::Nobody | Caller::Tokens(_) => Err(ApiError::login_needed()),
    }
}

/// Administrators may change the directory, and so may tokens of this scope or a wider one.
fn require_editor(call: &Call<'_>, scope: UserApiScope) -> Result<(), ApiError> {
    let permitted = match call.caller {
        Caller::User(user) => user.administrator,
        Caller::UserApi(given) => *given >= scope,
        Caller::Nobody | Caller::Tokens(_) => false,
    };
    if permitted { Ok(()) } else { Err(ApiError::no_privilege()) }
}

pub(super) fn describe(user: &User) -> Json {
    let created = "2020-01-06T00:00:00Z";
    json!({
        "id": user.id.to_string(),
        "code": user.code,
        "ctime": created,
        "mtime": created,
        "valid": user.condition != UserCondition::Locked,
        "name": user.name,
        "surName": "",
        "givenName": "",
        "surNameReading": "",
        "givenNameReading": "",
        "localName": "",
        "localNameLocale": match user.locale { Locale::En => "en", Locale::Ja => "ja" },
        "timezone": user.timezone,
        "locale": match user.locale { Locale::En => "en", Locale::Ja => "ja" },
        "description": "",
        "phone": "",
        "mobilePhone": "",
        "extensionNumber": "",
        "email": user.email,
        "callto": "",
        "url": "",
        "employeeNumber": "",
        "birthDate": null,
        "joinDate": null,
        "primaryOrganization": null,
        "sortOrder": null,
        "customItemValues": [],
    })
}

/// Which entries of a list are asked for.
pub(super) struct Selection {
    ids: Option<Vec<u64>>,
    codes: Option<Vec<String>>,
    size: usize,
    offset: usize,
}

impl Selection {
    /// Reads `ids` or `codes`, `size` (1 to 100) and `offset`.
    pub(super) fn read(call: &Call<'_>) -> Result<Self, ApiError> {
        require_reader(call)?;
        let (ids, codes) = (call.parameters.ids("ids")?, call.parameters.texts("codes")?);
        if ids.is_some() && codes.is_some() {
            return Err(ApiError::invalid("ids", "Specify either ids or codes."));
        }
        let size = call.parameters.integer("size")?.unwrap_or(100);
        if !(1..=100).contains(&size) {
            return Err(ApiError::invalid("size", "Specify a number from 1 to 100."));
        }
        let offset = call.parameters.integer("offset")?.unwrap_or(0);
        let offset =
            usize::try_from(offset).map_err(|_| ApiError::invalid("offset", "Specify 0 or more."))?;
        Ok(Self { ids, codes, size: size as usize, offset })
    }

    /// The entries that are asked for, in the order of the list.
    pub(super) fn of<'list, T>(
        &self,
        list: &'list [T],
        key: impl Fn(&T) -> (u64, &String),
    ) -> impl Iterator<Item = &'list T> {
        list.iter()
            .filter(move |entry| {
                let (id, code) = key(entry);
                self.ids.as_ref().is_none_or(|ids| ids.contains(&id))
                    && self.codes.as_ref().is_none_or(|codes| codes.contains(code))
            })
            .skip(self.offset)
            .take(self.size)
    }
}
