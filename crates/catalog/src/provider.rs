//! A provider: everything the product knows about one vendor's API, read from one file.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::catalog::Catalog;
use crate::check;
use crate::combination::Impossible;
use crate::diagnostic::Diagnostic;
use crate::explanation::{Explanation, Observation};
use crate::field::{FieldKind, Fields};
use crate::gate::{Gate, GateKind};
use crate::host::{HostPattern, host_of};
use crate::limit::{ErrorBody, Limits, Pagination, Retry};
use crate::paste::{PasteRule, Pasted};
use crate::path_rule::PathRewrite;
use crate::scheme::AuthScheme;
use crate::scheme_text::SchemeText;
use crate::setting::Settings;
use crate::stage::Stage;
use crate::template::{Encoding, Scope, Template, TemplateError};
use crate::text::Text;
use crate::vendor_client::VendorClient;

/// A checked provider definition. Adding one touches one file: `providers/<id>.yaml`.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The provider's name in requests and on the command line; also the file's name.
    pub id: String,
    /// The provider's name for people.
    pub name: Text,
    /// What it is, in a sentence.
    pub description: Text,
    /// The vendor's own documentation.
    pub documentation: String,
    /// What the provider is filed under.
    pub categories: Vec<String>,
    /// Which other APIs of the same vendor stand beside this one in a form.
    pub family: Option<Family>,
    /// Hosts that a connection may resolve to.
    pub hosts: Vec<HostPattern>,
    /// The base of every URL: scheme, host and perhaps a path.
    pub base_url: Template,
    /// Moves paths below a prefix of the connection.
    pub path_rewrite: Option<PathRewrite>,
    /// The fields that are no secrets.
    pub config: Fields,
    /// Pasted texts that fill fields.
    pub paste: Vec<PasteRule>,
    /// The vendor's own clients.
    pub clients: Vec<VendorClient>,
    /// Layers in front of the API.
    pub gates: Vec<Gate>,
    /// The ways to authenticate; the first is the default one.
    pub auth: Vec<AuthScheme>,
    /// What the vendor does not offer together, and why.
    pub impossible: Vec<Impossible>,
    /// Header names, beside those of the schemes, that a caller cannot set.
    pub strip_headers: Vec<String>,
    /// The stages of the connection test, after those of the engine.
    pub test: Vec<Stage>,
    /// The vendor's limits.
    pub limits: Limits,
    /// What may be sent again.
    pub retry: Retry,
    /// How the vendor parts long lists.
    pub pagination: Option<Pagination>,
    /// Where error answers keep their parts.
    pub error_body: ErrorBody,
    /// What failures mean: the provider's own rows, those that it takes over from another, and the common ones.
    pub explanations: Vec<Explanation>,
    /// Documented settings, the common ones included.
    pub settings: Settings,
    /// Keys of foreign connection strings, in lower case, and the field or setting each means.
    pub connection_string: BTreeMap<String, String>,
    /// Values of foreign connection strings for the auth scheme, in lower case, and the scheme each means.
    pub connection_string_schemes: BTreeMap<String, String>,
}

/// APIs of one vendor that are providers of their own, and one form for people.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// The same in the file of each of them.
    pub id: String,
    /// What people call the API among them.
    pub api: Text,
}

/// An address of the connection could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// A hole has no value or one that is no host name.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The host is none that the provider file allows.
    #[error("`{host}` is not a host of this provider")]
    Host {
        /// The host that came out.
        host: String,
    },
}

impl Provider {
    /// Parses and checks one file, as if it stood beside the built-in ones. All faults are reported, each with its place
    /// and its fix.
    pub fn parse(file: &str, text: &str, common: &Common) -> Result<Self, Vec<Diagnostic>> {
        Catalog::parse_one(file, text, common)
    }

    /// The auth scheme with an id.
    pub fn scheme(&self, id: &str) -> Option<&AuthScheme> {
        self.auth.iter().find(|scheme| scheme.id == id)
    }

    /// The base URL for a configuration and the gates that are used: `https`, and a host that fits one of the patterns,
    /// or its twin.
    pub fn base_url(
        &self,
        config: &BTreeMap<String, String>,
        gates: &[GateKind],
    ) -> Result<String, BaseUrlError> {
        self.url(&self.base_url, config, gates)
    }

    /// An address of this provider for a configuration and the gates that are used: `https`, and a host that fits one of
    /// the patterns, or its twin.
    pub fn url(
        &self,
        url: &Template,
        config: &BTreeMap<String, String>,
        gates: &[GateKind],
    ) -> Result<String, BaseUrlError> {
        let scope = Scope { config: Some(config), ..Scope::default() };
        let url = url.render(&scope, Encoding::Url)?;
        let url = url.trim_end_matches('/');
        let host = host_of(url);
        if !self.hosts.iter().any(|pattern| pattern.matches(host)) {
            return Err(BaseUrlError::Host { host: host.to_owned() });
        }
        let mut used = self.gates.iter().filter(|gate| gates.contains(&gate.kind));
        let twin = used.find_map(|gate| gate.twin_of(host));
        Ok(twin.map_or_else(|| url.to_owned(), |twin| url.replacen(host, &twin, 1)))
    }

    /// The fields by which whoever types them could lead what the addresses carry to any host. None where the file names
    /// the hosts.
    pub fn open_host_names<'a>(&self, urls: impl IntoIterator<Item = &'a Template>) -> BTreeSet<&'a str> {
        if !self.hosts.iter().any(HostPattern::is_typed) {
            return BTreeSet::new();
        }
        let is_typed =
            |name: &&str| self.config.get(name).is_none_or(|field| field.kind != FieldKind::Choice);
        urls.into_iter().flat_map(Template::open_host_names).filter(is_typed).collect()
    }

    /// What people may look for and this provider cannot do with an auth scheme alone, whether it has that scheme or not.
    pub fn impossible_scheme(&self, scheme: &str) -> Option<&Impossible> {
        let alone = |row: &&Impossible| row.gates.is_empty() && row.field.is_none();
        self.impossible.iter().filter(alone).find(|row| row.scheme.as_deref() == Some(scheme))
    }

    /// The fields in a pasted text, by the first rule that fits.
    pub fn read_pasted(&self, pasted: &str) -> Option<Pasted> {
        self.paste.iter().find_map(|rule| rule.read(pasted))
    }

    /// The row that explains an observation; the common table ends in rows that fit everything.
    pub fn explain(&self, seen: &Observation<'_>) -> Option<&Explanation> {
        self.explanations.iter().find(|row| row.fits(seen))
    }
}

/// What all providers share: settings and explanations, read from `common.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    pub(crate) settings: Settings,
    /// The fields of a client certificate.
    pub(crate) client_certificate: Fields,
    pub(crate) errors: Vec<Explanation>,
}

impl Common {
    /// The table that is part of the program.
    pub fn built_in() -> Result<Self, Diagnostic> {
        check::read("common.yaml", include_str!("common.yaml"))
    }

    /// The rows of the table of failures that end every provider's.
    pub fn explanations(&self) -> &[Explanation] {
        &self.errors
    }
}

/// The file as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderText {
    pub id: Spanned<String>,
    pub name: Text,
    pub description: Text,
    pub documentation: String,
    #[serde(default)]
    pub categories: Vec<String>,
    pub family: Option<Family>,
    pub hosts: Vec<HostPattern>,
    pub base_url: Template,
    pub path_rewrite: Option<PathRewrite>,
    #[serde(default)]
    pub config: Fields,
    #[serde(default)]
    pub paste: Vec<Spanned<PasteRule>>,
    #[serde(default)]
    pub clients: Vec<Spanned<VendorClient>>,
    #[serde(default)]
    pub gates: Vec<Spanned<Gate>>,
    pub auth: Vec<Spanned<SchemeText>>,
    #[serde(default)]
    pub impossible: Vec<Spanned<Impossible>>,
    #[serde(default)]
    pub strip_headers: Vec<String>,
    pub test: Vec<Spanned<Stage>>,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub retry: Retry,
    pub pagination: Option<Pagination>,
    #[serde(default)]
    pub error_body: ErrorBody,
    #[serde(default)]
    pub errors: Vec<Explanation>,
    pub errors_from: Option<Spanned<String>>,
    #[serde(default)]
    pub settings: Settings,
    #[serde(default)]
    pub connection_string: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub connection_string_schemes: BTreeMap<String, Spanned<String>>,
}

impl ProviderText {
    /// Gives a client certificate its fields, which are the same at every vendor.
    pub(crate) fn complete(&mut self, common: &Common) {
        let certificates = self.gates.iter_mut().map(|gate| &mut gate.value);
        for gate in certificates.filter(|gate| gate.kind == GateKind::ClientCertificate) {
            if gate.fields.is_empty() {
                gate.fields = common.client_certificate.clone();
            }
        }
    }

    /// Whether the file has an auth scheme with that id, whole or not.
    pub(crate) fn declares_scheme(&self, id: &str) -> bool {
        self.auth.iter().any(|scheme| scheme.value.id == id)
    }
}
