//! Puts an installation together: data directory, master key, database, providers and the way out.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tombolo_catalog::Diagnostic;
use tombolo_egress::{
    AddressPolicy, ConnectRule, ConnectTo, Egress, EgressSettings, OriginRules, Resolve, SystemResolver,
    TlsSettings,
};
use tombolo_store::{DataDirectory, DirectoryError, Location, PostgresLocation, Store, StoreError};
use tombolo_vault::{KeyRing, MasterKey, MasterKeyError, Random, SystemRandom};

use crate::clock::{Clock, SystemClock};
use crate::notifications::{MailSettings, Mailer};
use crate::oauth::RenewalPatience;
use crate::platform::{DEFAULT_ENVIRONMENT, Platform, PlatformParts};
use crate::users::{IdentityProvider, OidcSettings};

mod current_key;
mod outside;
mod provider_files;
mod reach;

pub use current_key::{KeyPlace, current_master_key};
pub use outside::{Outside, OutsideAnswer, OutsideError};
pub use provider_files::{
    ImportError, ProviderFileError, Written, import_providers, read_catalog, validate_provider,
    write_providers,
};
pub use reach::{Reach, ReachStep, reach, reach_identity_provider};

/// What an installation is started with.
#[derive(Clone)]
pub struct StartOptions {
    /// Where SQLite files, the key and the operator's socket are.
    pub data_directory: PathBuf,
    /// A PostgreSQL URL; SQLite in the data directory when absent.
    pub postgres: Option<SecretString>,
    /// The most pages that a SQLite file may have, as a bound on its size.
    pub sqlite_pages_max: Option<u32>,
    /// Where the master key comes from.
    pub master_key: MasterKeySource,
    /// A directory with further provider files.
    pub provider_directory: Option<PathBuf>,
    /// The operator's rules for the way out.
    pub egress: EgressOptions,
    /// Calls that take longer are kept with their details.
    pub slow_calls: Duration,
    /// How long a receiver of webhooks has for its answer.
    pub webhook_patience: Duration,
    /// How long a renewal of tokens may take.
    pub renewal_patience: RenewalPatience,
    /// The operator's mail server.
    pub mail: Option<MailSettings>,
    /// The operator's identity provider.
    pub oidc: Option<OidcSettings>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub random: Arc<dyn Random>,
    /// How names are resolved.
    pub resolver: Arc<dyn Resolve>,
}

impl StartOptions {
    /// SQLite in a directory, with the strict rules.
    pub fn in_directory(data_directory: PathBuf) -> Self {
        Self {
            data_directory,
            postgres: None,
            sqlite_pages_max: None,
            master_key: MasterKeySource::DataDirectory,
            provider_directory: None,
            egress: EgressOptions::default(),
            slow_calls: Duration::from_secs(2),
            webhook_patience: Duration::from_secs(20),
            renewal_patience: RenewalPatience::default(),
            mail: None,
            oidc: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            resolver: Arc::new(SystemResolver),
        }
    }
}

/// Where the master key comes from.
#[derive(Debug, Clone)]
pub enum MasterKeySource {
    /// `master.key` in the data directory, made at the very first start on SQLite.
    DataDirectory,
    /// This file.
    File(PathBuf),
    /// The text of a key file, as from an environment variable.
    Text(SecretString),
}

/// The operator's rules for the way out, as they stand in the configuration.
#[derive(Debug, Clone, Default)]
pub struct EgressOptions {
    /// Whether `http://` upstreams are allowed.
    pub allow_http: bool,
    /// Ports beside 443.
    pub extra_ports: Vec<u16>,
    /// Networks beside the global ones, such as `10.1.0.0/16`.
    pub allow_networks: Vec<String>,
    /// A PEM file with authorities that are trusted everywhere.
    pub extra_authorities: Option<PathBuf>,
    /// Hosts that are reached elsewhere.
    pub connect_to: Vec<ConnectToOption>,
}

/// One host that is reached elsewhere.
#[derive(Debug, Clone)]
pub struct ConnectToOption {
    /// `host` or `host:port`.
    pub host: String,
    /// The socket address.
    pub address: SocketAddr,
    /// PEM text of an authority that is trusted for this host.
    pub authority: Option<String>,
    /// What stands for the host in links that a browser follows.
    pub browser_address: Option<String>,
    /// Whether the address, on this machine itself, speaks plain HTTP.
    pub without_tls: bool,
}

/// A started installation.
pub struct Started {
    /// The platform.
    pub platform: Arc<Platform>,
    /// The locked data directory; held for as long as the installation runs.
    pub directory: Option<DataDirectory>,
    /// Set at the very first start: the master key file that was made and must be backed up.
    pub new_master_key: Option<PathBuf>,
}

/// Why an installation cannot be started. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// There is a database, but no key for it.
    #[error(
        "the master key {path} is missing, and the database needs it; restore the key file from your backup, or give its place with TOMBOLO_MASTER_KEY_FILE"
    )]
    KeyMissing {
        /// Where it was looked for.
        path: String,
    },
    /// PostgreSQL is shared, so its key is never made up.
    #[error(
        "a PostgreSQL database needs a master key that you supply; make one with `tombolo key generate`, keep it safe, and give it with TOMBOLO_MASTER_KEY_FILE or TOMBOLO_MASTER_KEY"
    )]
    KeyNotSupplied,
    /// The key file cannot be read or made.
    #[error("the master key file {path} cannot be used: {source}; check its permissions")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The key is no key.
    #[error("{0}")]
    Key(#[from] MasterKeyError),
    /// The database refused.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Whether the database was restored from a backup cannot be told.
    #[error("it cannot be told whether the database was restored from a backup: {0}")]
    Progress(String),
    /// A provider file is broken.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Catalog(Vec<Diagnostic>),
    /// A file of the configuration cannot be read.
    #[error("cannot read {path}: {source}; check the path and its permissions")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A setting of the configuration cannot be used.
    #[error("the setting `{setting}` cannot be used: {reason}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// Why.
        reason: String,
    },
}

/// Starts an installation. Must be called on the control runtime.
pub async fn start(options: StartOptions) -> Result<Started, StartError> {
    let catalog = Arc::new(read_catalog(options.provider_directory.as_deref())?);
    let egress = Egress::new(egress_settings(&options.egress)?, options.resolver);
    let mailer = options.mail.as_ref().map(Mailer::new).transpose();
    let mailer = mailer.map_err(|reason| StartError::Setting { setting: "mail", reason })?;
    let identity_provider = options.oidc.map(IdentityProvider::new).transpose();
    let identity_provider =
        identity_provider.map_err(|reason| StartError::Setting { setting: "oidc", reason })?;
    let (location, directory) = if let Some(url) = &options.postgres {
        (Location::Postgres(PostgresLocation { url: url.clone(), max_connections: 10 }), None)
    } else {
        let directory = DataDirectory::lock(&options.data_directory)?;
        let mut files = directory.databases();
        files.max_pages = options.sqlite_pages_max;
        (Location::Sqlite(files), Some(directory))
    };
    let (key, new_master_key) = master_key(&options.master_key, directory.as_ref(), &*options.random)?;
    let ring = KeyRing::new(key);
    let now = options.clock.now();
    let store = Store::open(&location, &ring, Arc::clone(&options.random), now).await?;
    if let Err(error) = store.initialise(&ring, DEFAULT_ENVIRONMENT, now).await {
        // Closed in good order, SQLite takes its side files away: a refused start leaves every file as it was.
        store.close().await;
        return Err(error.into());
    }
    let parts = PlatformParts {
        store,
        catalog,
        egress,
        ring,
        clock: options.clock,
        random: options.random,
        slow_calls: options.slow_calls,
        webhook_patience: options.webhook_patience,
        renewal_patience: options.renewal_patience,
        data_directory: options.data_directory,
        mailer,
        identity_provider,
    };
    let platform = Platform::new(parts);
    if let Err(problem) = platform.examine_progress(crate::restoration::Moment::Start).await {
        platform.store.close().await;
        return Err(StartError::Progress(problem.to_string()));
    }
    Ok(Started { platform, directory, new_master_key })
}

fn master_key(
    source: &MasterKeySource,
    directory: Option<&DataDirectory>,
    random: &dyn Random,
) -> Result<(MasterKey, Option<PathBuf>), StartError> {
    let path = match (source, directory) {
        (MasterKeySource::Text(text), _) => return Ok((MasterKey::parse(text.expose_secret())?, None)),
        (MasterKeySource::File(path), _) => path.clone(),
        (MasterKeySource::DataDirectory, Some(directory)) => directory.master_key_file(),
        (MasterKeySource::DataDirectory, None) => return Err(StartError::KeyNotSupplied),
    };
    match read_key_file(&path) {
        // A key that was named is never made, and one is never made beside data that another one locks.
        Err(StartError::KeyMissing { .. })
            if matches!(source, MasterKeySource::DataDirectory)
                && directory.is_some_and(DataDirectory::is_new) =>
        {
            Ok((make_key_file(&path, random)?, Some(path)))
        }
        read => Ok((read?, None)),
    }
}

fn read_key_file(path: &Path) -> Result<MasterKey, StartError> {
    match fs::read_to_string(path).map(SecretString::from) {
        Ok(text) => Ok(MasterKey::parse(text.expose_secret())?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(StartError::KeyMissing { path: path.display().to_string() })
        }
        Err(source) => Err(StartError::KeyFile { path: path.to_owned(), source }),
    }
}

/// Makes a new key and its file, readable by its owner only, and on the disk before anything is sealed with it.
pub fn make_key_file(path: &Path, random: &dyn Random) -> Result<MasterKey, StartError> {
    let failed = |source| StartError::KeyFile { path: path.to_owned(), source };
    let key = MasterKey::generate(random).map_err(|error| failed(io::Error::other(error.to_string())))?;
    let mut open = OpenOptions::new();
    open.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    let mut file = open.open(path).map_err(failed)?;
    let text = key.to_key_file_text();
    file.write_all(text.expose_secret().as_bytes()).map_err(failed)?;
    file.write_all(b"\n").map_err(failed)?;
    file.sync_all().map_err(failed)?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::File::open(parent).and_then(|directory| directory.sync_all()).map_err(failed)?;
    }
    Ok(key)
}

fn egress_settings(options: &EgressOptions) -> Result<EgressSettings, StartError> {
    let refused = |setting, reason: String| StartError::Setting { setting, reason };
    let networks = options
        .allow_networks
        .iter()
        .map(|network| {
            network.parse().map_err(|_| {
                refused(
                    "egress.allow_networks",
                    format!("`{network}` is no network; write one like 10.1.0.0/16"),
                )
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut settings = EgressSettings {
        origins: OriginRules {
            allow_http: options.allow_http,
            extra_ports: options.extra_ports.clone(),
            ..OriginRules::default()
        },
        addresses: AddressPolicy::new(networks),
        ..EgressSettings::default()
    };
    if let Some(path) = &options.extra_authorities {
        let pem = fs::read(path).map_err(|source| StartError::File { path: path.clone(), source })?;
        settings.extra_authorities = TlsSettings::authorities_from_pem(&pem)
            .map_err(|error| refused("egress.extra_authorities", error.to_string()))?;
    }
    let rules = options.connect_to.iter().map(connect_rule).collect::<Result<Vec<_>, _>>()?;
    settings.connect_to = ConnectTo::new(rules);
    Ok(settings)
}

fn connect_rule(option: &ConnectToOption) -> Result<ConnectRule, StartError> {
    let refused = |reason: String| StartError::Setting { setting: "egress.connect_to", reason };
    let mut rule = ConnectRule::parse(&option.host, &option.address.to_string())
        .map_err(|error| refused(error.to_string()))?;
    if let Some(pem) = &option.authority {
        let authorities =
            TlsSettings::authorities_from_pem(pem.as_bytes()).map_err(|error| refused(error.to_string()))?;
        rule = rule.with_authorities(authorities);
    }
    if let Some(address) = &option.browser_address {
        let address = address.parse().map_err(|error| refused(format!("`{address}`: {error}")))?;
        rule = rule.with_browser_address(address);
    }
    if option.without_tls {
        rule = rule.without_tls().map_err(|error| refused(error.to_string()))?;
    }
    Ok(rule)
}
