//! The configuration: `config.default.toml`, a file, the environment, the command line, each over the one before.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use secrecy::SecretString;
use serde::Deserialize;
use tombolo_platform::Housekeeping;
use tombolo_platform::notifications::{MailSettings, MailTls};
use tombolo_platform::start::{ConnectToOption, EgressOptions, MasterKeySource, StartOptions};
use tombolo_platform::store::Role;
use tombolo_platform::users::{OidcSettings, RoleRules};
use tombolo_server::{ServerOptions, Tls};

use crate::environment;

/// Every setting with its default and one sentence about it.
const DEFAULTS: &str = include_str!("../../../config.default.toml");

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    pub data_dir: PathBuf,
    pub server: ServerSection,
    pub database: DatabaseSection,
    pub master_key: MasterKeySection,
    pub providers: ProvidersSection,
    pub egress: EgressSection,
    pub activity: ActivitySection,
    pub verification: VerificationSection,
    pub webhooks: WebhooksSection,
    pub mail: MailSection,
    pub oidc: OidcSection,
    pub log: LogSection,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSection {
    pub listen: SocketAddr,
    pub public_url: String,
    pub proxy_threads: usize,
    pub connections_max: usize,
    pub requests_per_minute: u32,
    pub drain_seconds: u64,
    pub tls_certificate_file: PathBuf,
    pub tls_key_file: PathBuf,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSection {
    pub url: SecretString,
    pub sqlite_pages_max: u32,
}

impl std::fmt::Debug for DatabaseSection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DatabaseSection").finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasterKeySection {
    pub file: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvidersSection {
    pub directory: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgressSection {
    pub allow_http: bool,
    pub extra_ports: Vec<u16>,
    pub allow_networks: Vec<String>,
    pub extra_authorities_file: PathBuf,
    pub connect_to: Vec<ConnectToEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectToEntry {
    pub host: String,
    pub address: SocketAddr,
    pub authority_file: Option<PathBuf>,
    pub browser_address: Option<String>,
    #[serde(default)]
    pub without_tls: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivitySection {
    pub retention_days: u32,
    pub slow_milliseconds: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerificationSection {
    pub every_hours: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksSection {
    pub timeout_seconds: NonZeroU32,
}

/// The password can be neither printed nor serialised.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSection {
    pub host: String,
    pub port: u16,
    pub tls: MailProtection,
    pub user: String,
    pub password: SecretString,
    pub password_file: PathBuf,
    pub from: String,
    pub authority_file: PathBuf,
}

/// The client's secret can be neither printed nor serialised.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSection {
    pub issuer: String,
    pub client_id: String,
    pub client_secret: SecretString,
    pub client_secret_file: PathBuf,
    pub name: String,
    pub scopes: Vec<String>,
    pub role_claim: String,
    pub admins: Vec<String>,
    pub members: Vec<String>,
    pub viewers: Vec<String>,
    pub default_role: DefaultRole,
    pub allowed_domains: Vec<String>,
    pub trust_mail: bool,
    pub password_sign_in: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefaultRole {
    None,
    Viewer,
    Member,
    Admin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailProtection {
    StartTls,
    Always,
    Never,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSection {
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Configuration {
    /// Reads the defaults, a file if one is given, and the variables of the environment. One of ours that is not UTF-8
    /// is an error.
    pub fn read(
        file: Option<&Path>,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> anyhow::Result<Self> {
        let mut builder =
            config::Config::builder().add_source(config::File::from_str(DEFAULTS, config::FileFormat::Toml));
        if let Some(file) = file {
            builder = builder.add_source(config::File::from(file).format(config::FileFormat::Toml));
        }
        let defaults: toml::Table = DEFAULTS.parse().context("config.default.toml is no TOML")?;
        for (key, value) in environment::settings(variables, &defaults)? {
            builder = builder.set_override(key, value)?;
        }
        let configuration = builder.build().context("cannot read the configuration")?;
        configuration
            .try_deserialize()
            .context("the configuration has a setting that does not fit; config.default.toml shows them all")
    }

    /// What the platform is started with.
    pub fn start_options(&self, master_key: Option<SecretString>) -> anyhow::Result<StartOptions> {
        use secrecy::ExposeSecret as _;
        let mut options = StartOptions::in_directory(self.data_dir.clone());
        let url = self.database.url.expose_secret();
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            options.postgres = Some(self.database.url.clone());
        } else if let Some(path) = url.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            options.data_directory = path.into();
        } else if url != "sqlite" && url != "sqlite:" {
            bail!("database.url is `sqlite`, `sqlite:DIRECTORY` or `postgres://…`");
        }
        options.sqlite_pages_max = Some(self.database.sqlite_pages_max).filter(|pages| *pages > 0);
        options.master_key = match (master_key, present(&self.master_key.file)) {
            (Some(text), _) => MasterKeySource::Text(text),
            (None, Some(file)) => MasterKeySource::File(file),
            (None, None) => MasterKeySource::DataDirectory,
        };
        options.provider_directory = present(&self.providers.directory);
        options.egress = self.egress.options()?;
        options.slow_calls = Duration::from_millis(self.activity.slow_milliseconds.into());
        options.webhook_patience = Duration::from_secs(self.webhooks.timeout_seconds.get().into());
        options.mail = self.mail.settings()?;
        options.oidc = self.oidc.settings()?;
        Ok(options)
    }

    /// What background work keeps and how often it tests.
    pub fn housekeeping(&self) -> Housekeeping {
        let hours = |hours: u32| Duration::from_hours(hours.into());
        Housekeeping {
            activity: hours(24) * self.activity.retention_days,
            verify_every: Some(self.verification.every_hours).filter(|every| *every > 0).map(hours),
        }
    }

    /// How long what runs may take to end when the server stops.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.server.drain_seconds)
    }

    /// What the server is started with.
    pub fn server_options(&self, process_id: u64) -> anyhow::Result<ServerOptions> {
        let section = &self.server;
        let tls = match (present(&section.tls_certificate_file), present(&section.tls_key_file)) {
            (None, None) => None,
            (Some(certificates), Some(key)) => {
                Some(Tls { certificates: read(&certificates)?, key: read(&key)? })
            }
            _ => {
                bail!("server.tls_certificate_file and server.tls_key_file belong together: set both or none")
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(ServerOptions {
            listen: section.listen,
            proxy_threads: if section.proxy_threads == 0 { cores } else { section.proxy_threads },
            connections_max: section.connections_max,
            requests_per_minute: section.requests_per_minute,
            drain: self.drain(),
            process_id,
            tls,
            public_url: Some(section.public_url.clone()).filter(|url| !url.is_empty()),
            operator_socket: None,
        })
    }
}

impl EgressSection {
    fn options(&self) -> anyhow::Result<EgressOptions> {
        let connect_to = self.connect_to.iter().map(|entry| {
            let authority = match &entry.authority_file {
                Some(file) => Some(
                    std::fs::read_to_string(file)
                        .with_context(|| format!("cannot read {}", file.display()))?,
                ),
                None => None,
            };
            let ConnectToEntry { host, address, browser_address, without_tls, .. } = entry.clone();
            Ok(ConnectToOption { host, address, authority, browser_address, without_tls })
        });
        Ok(EgressOptions {
            allow_http: self.allow_http,
            extra_ports: self.extra_ports.clone(),
            allow_networks: self.allow_networks.clone(),
            extra_authorities: present(&self.extra_authorities_file),
            connect_to: connect_to.collect::<anyhow::Result<_>>()?,
        })
    }
}

impl MailSection {
    fn settings(&self) -> anyhow::Result<Option<MailSettings>> {
        use secrecy::ExposeSecret as _;
        if self.host.is_empty() {
            return Ok(None);
        }
        let password = secret(&self.password, &self.password_file)?;
        if self.user.is_empty() != password.expose_secret().is_empty() {
            bail!("mail.user and mail.password (or mail.password_file) belong together: set both or none");
        }
        Ok(Some(MailSettings {
            host: self.host.clone(),
            port: self.port,
            tls: match self.tls {
                MailProtection::StartTls => MailTls::StartTls,
                MailProtection::Always => MailTls::Always,
                MailProtection::Never => MailTls::Never,
            },
            user: (!self.user.is_empty()).then(|| (self.user.clone(), password)),
            from: self.from.clone(),
            authorities: present(&self.authority_file).map(|file| text(&file)).transpose()?,
        }))
    }
}

impl OidcSection {
    fn settings(&self) -> anyhow::Result<Option<OidcSettings>> {
        use secrecy::ExposeSecret as _;
        if self.issuer.is_empty() {
            if !self.password_sign_in {
                bail!(
                    "with oidc.password_sign_in = false and no oidc.issuer nobody could sign in: set the issuer too"
                );
            }
            return Ok(None);
        }
        let secret = secret(&self.client_secret, &self.client_secret_file)?;
        Ok(Some(OidcSettings {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: Some(secret).filter(|secret| !secret.expose_secret().is_empty()),
            name: self.name.clone(),
            scopes: self.scopes.clone(),
            roles: RoleRules {
                claim: Some(self.role_claim.clone()).filter(|claim| !claim.is_empty()),
                admins: self.admins.clone(),
                members: self.members.clone(),
                viewers: self.viewers.clone(),
                default: match self.default_role {
                    DefaultRole::None => None,
                    DefaultRole::Viewer => Some(Role::Viewer),
                    DefaultRole::Member => Some(Role::Member),
                    DefaultRole::Admin => Some(Role::Admin),
                },
            },
            allowed_domains: self.allowed_domains.clone(),
            trust_mail: self.trust_mail,
            password_sign_in: self.password_sign_in,
        }))
    }
}

/// A secret that stands in a file, or in the setting itself.
fn secret(setting: &SecretString, file: &Path) -> anyhow::Result<SecretString> {
    match present(file) {
        Some(file) => Ok(text(&file)?.trim_end_matches(['\r', '\n']).into()),
        None => Ok(setting.clone()),
    }
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn present(path: &Path) -> Option<PathBuf> {
    (!path.as_os_str().is_empty()).then(|| path.to_owned())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> anyhow::Result<Configuration> {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Configuration::read(None, variables)
    }

    #[test]
    fn the_defaults_are_complete_and_the_environment_overrides_them() {
        let defaults = with(&[]).expect("the defaults fit");
        assert_eq!(defaults.server.listen.to_string(), "127.0.0.1:3003");
        let changed = with(&[
            ("TOMBOLO_SERVER_LISTEN", "0.0.0.0:80"),
            ("TOMBOLO_DATA_DIR", "/data"),
            ("HOME", "/root"),
        ]);
        let changed = changed.expect("known settings");
        assert_eq!(changed.server.listen.to_string(), "0.0.0.0:80");
        assert_eq!(changed.data_dir, Path::new("/data"));
        assert!(with(&[("TOMBOLO_SERVER_LITSEN", "x")]).is_err(), "a slip is no silent default");
    }

    #[test]
    fn an_identity_provider_comes_from_the_environment_too() {
        let changed = with(&[
            ("TOMBOLO_OIDC_ISSUER", "https://login.example.com"),
            ("TOMBOLO_OIDC_CLIENT_ID", "tombolo"),
            ("TOMBOLO_OIDC_CLIENT_SECRET", "canary-oidc-secret"),
            ("TOMBOLO_OIDC_ROLE_CLAIM", "groups"),
            ("TOMBOLO_OIDC_ADMINS", "ops,board"),
            ("TOMBOLO_OIDC_DEFAULT_ROLE", "viewer"),
        ]);
        let changed = changed.expect("known settings");
        assert!(!format!("{changed:?}").contains("canary"));
        let settings = changed.oidc.settings().expect("settings that fit").expect("a provider");
        assert_eq!(settings.roles.admins, ["ops", "board"]);
        assert_eq!((settings.roles.default, settings.password_sign_in), (Some(Role::Viewer), true));
        assert!(with(&[]).expect("the defaults fit").oidc.settings().expect("they fit").is_none());
        let nobody = with(&[("TOMBOLO_OIDC_PASSWORD_SIGN_IN", "false")]).expect("known settings");
        let error = nobody.oidc.settings().expect_err("nobody could sign in").to_string();
        assert!(error.contains("oidc.issuer"), "{error}");
    }

    #[test]
    fn lists_come_from_the_environment_too() {
        let entry = r#"[{ host = "acme.example.com", address = "127.0.0.1:8443", without_tls = true }]"#;
        let changed = with(&[
            ("TOMBOLO_EGRESS_EXTRA_PORTS", "8443,9443"),
            ("TOMBOLO_EGRESS_ALLOW_NETWORKS", "10.1.0.0/16, fd00::/8"),
            ("TOMBOLO_EGRESS_CONNECT_TO", entry),
        ]);
        let egress = changed.expect("settings that fit").egress;
        assert_eq!(egress.extra_ports, [8443, 9443]);
        assert_eq!(egress.allow_networks, ["10.1.0.0/16", "fd00::/8"]);
        let [entry] = &egress.connect_to[..] else { panic!("one entry: {egress:?}") };
        assert_eq!((entry.host.as_str(), entry.without_tls), ("acme.example.com", true));
        assert_eq!(entry.address.to_string(), "127.0.0.1:8443");

        for (name, value) in
            [("TOMBOLO_EGRESS_EXTRA_PORTS", "https"), ("TOMBOLO_EGRESS_CONNECT_TO", "acme.example.com")]
        {
            let error = format!("{:#}", with(&[(name, value)]).expect_err("what does not fit"));
            let key = name.replace("TOMBOLO_EGRESS_", "egress.").to_lowercase();
            assert!(error.contains("does not fit") && error.contains(&key), "{error}");
        }
    }
}
