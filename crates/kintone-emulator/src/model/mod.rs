//! What a tenant holds, as plain data: apps, field definitions, records, people, tokens.
//!
//! Nothing here knows HTTP or JSON answers. How the model maps to the wire:
//!
//! | model | on the wire (member `value` of `{code: {type, value}}`) |
//! |---|---|
//! | [`Value::Text`] | a string; `""` when the field was emptied |
//! | [`Value::Number`] | a decimal string, already normalised (`15`, never `1.5e1`) |
//! | [`Value::Strings`] | `["A", "B"]` (check box, multi-select, category) |
//! | [`Value::Entity`] | `{code, name}` (creator, modifier) |
//! | [`Value::Entities`] | `[{code, name}]` (users, organizations, groups, assignees) |
//! | [`Value::Files`] | `[{contentType, fileKey, name, size: "123"}]` |
//! | [`Value::Rows`] | `[{id: "5", value: {code: {type, value}}}]` (subtable) |
//! | [`Value::Null`] | `null` (drop-down, date, time, date-time, number without a value) |
//!
//! Dates are text `2024-01-02`, times `09:30`, date-times `2024-01-02T03:04:00Z`: always in UTC and to the
//! minute, as the service stores them. Ids and revisions are numbers here and strings on the wire.
//!
//! A record holds only what was entered. The built-in fields (record number, creator, times, status,
//! assignees) live in members of [`Record`], because their codes belong to the app and because process
//! management can be switched on later; [`Record::cell`] reads either kind by its [`Field`].

mod access;
mod app;
mod directory;
mod field;
mod generated;
mod grants;
mod oauth;
mod process;
mod record;
mod records;
mod session;
mod space;
mod tenant;
mod token;
mod unique;
mod value;

pub use access::{AppRight, RecordRight, RightHolder};
pub use app::{App, AppId};
pub use directory::{Group, Locale, Organization, User, UserCondition};
pub use field::{Field, FieldError, FieldType, Fields, FoundField, Lookup, LookupCopy, RelatedRecords};
pub use generated::GeneratedRecords;
pub use grants::OAuthGrants;
pub(crate) use grants::{ACCESS_TOKEN_SECONDS, Grant, NewTokens};
pub use oauth::{MAXIMUM_OAUTH_CLIENTS, OAuthClient, OAuthScope};
pub use process::{Action, Process, State};
pub use record::{Comment, Record};
pub use records::{Direction, Found, Records};
pub(crate) use session::Session;
pub use session::Sessions;
pub use space::Space;
pub use tenant::{ADMINISTRATOR, BasicGate, StoredFile, Tenant};
pub use token::{ApiToken, Permission, UserApiScope, UserApiToken};
pub use value::{Entity, FileValue, Row, Value, Values};
