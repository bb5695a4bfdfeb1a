#![doc = include_str!("../README.md")]

mod auth_mode;
mod catalog;
mod check;
mod combination;
mod connection_string;
mod diagnostic;
mod document;
mod errors_from;
mod explanation;
mod expression;
mod field;
mod gate;
mod host;
pub mod import;
mod in_order;
mod limit;
mod oauth2;
mod paste;
mod path_rule;
mod provider;
mod scheme;
mod scheme_text;
mod send;
mod setting;
mod stage;
mod template;
mod text;
mod time_format;
mod token;
mod url_builder;
mod vendor_client;

pub use auth_mode::AuthMode;
pub use catalog::Catalog;
pub use combination::Impossible;
pub use connection_string::{ConnectionString, ConnectionStringError};
pub use diagnostic::{Diagnostic, Place};
pub use document::Document;
pub use explanation::{Explanation, Observation, Side};
pub use expression::{Expression, ExpressionPart, ExpressionValue, Function, RequestPart};
pub use field::{Field, FieldError, FieldKind, Fields, Item};
pub use gate::{Gate, GateKind, Twin};
pub use host::HostPattern;
pub use limit::{Concurrency, ErrorBody, Limits, LongUrl, Pagination, PaginationKind, Retry, StatusRange};
pub use oauth2::{
    ClientAuthentication, Flow, OAuth2, OAuthScope, ParameterFormat, Revocation, RevokedToken, TokenAnswer,
};
pub use paste::{PasteRule, Pasted};
pub use path_rule::{CallPattern, PathRefusal, PathRewrite};
pub use provider::{BaseUrlError, Common, Family, Provider};
pub use scheme::{AuthScheme, Entries, Placement, RequestToken, SchemeKind, Selector, Unavailable};
pub use send::Send;
pub use setting::{Setting, SettingError, Settings};
pub use stage::{Acceptance, CredentialUse, Learn, Stage, StageRequest};
pub use template::{Encoding, Scope, Template, TemplateError};
pub use text::{Language, Text, TextTemplate};
pub use time_format::TimeFormat;
pub use token::{
    AssumeRole, AwsSigV4, ExpiryForm, Jwt, JwtAlgorithm, KeyEncoding, Login, LoginAnswer, LoginStep, OAuth1,
    OAuth1Flow, OAuth1Signature, StepFormat, StepUrl,
};
pub use url_builder::UrlBuilder;
pub use vendor_client::VendorClient;
