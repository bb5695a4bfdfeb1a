#![doc = include_str!("../README.md")]

mod catalog;
mod check;
mod connection_string;
mod diagnostic;
mod errors_from;
mod explanation;
mod field;
mod host;
mod in_order;
mod limit;
mod oauth2;
mod paste;
mod path_rule;
mod provider;
mod scheme;
mod setting;
mod stage;
mod template;
mod text;

pub use catalog::Catalog;
pub use connection_string::{ConnectionString, ConnectionStringError};
pub use diagnostic::{Diagnostic, Place};
pub use explanation::{Explanation, Observation, Side};
pub use field::{Field, FieldError, FieldKind, Fields};
pub use host::HostPattern;
pub use limit::{Concurrency, ErrorBody, Limits, LongUrl, Retry};
pub use oauth2::{ClientAuthentication, Flow, OAuth2, OAuthScope, ParameterFormat, TokenAnswer};
pub use paste::{PasteRule, Pasted};
pub use path_rule::{CallPattern, PathRefusal, PathRewrite};
pub use provider::{BaseUrlError, Common, Provider};
pub use scheme::{AuthScheme, Entries, Gate, GateKind, Placement, SchemeKind, Selector, Unavailable};
pub use setting::{Setting, SettingError, Settings};
pub use stage::{Acceptance, CredentialUse, Learn, Stage, StageRequest};
pub use template::{Encoding, Scope, Template, TemplateError};
pub use text::{Language, Text, TextTemplate};
