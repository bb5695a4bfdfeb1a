//! What an emulator or simulator says once it answers, as text and as JSON.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::json;

use crate::output::{Output, json_line, line, say};

/// The emulated Kintone, as `--json` prints it.
#[derive(Serialize)]
pub(super) struct Emulated {
    pub(super) tenants: Vec<EmulatedTenant>,
    #[serde(flatten)]
    pub(super) listening: Listening,
}

#[derive(Serialize)]
pub(super) struct EmulatedTenant {
    pub(super) name: String,
    pub(super) url: String,
}

/// A played provider, as `--json` prints it.
#[derive(Serialize)]
pub(super) struct Simulated {
    pub(super) provider: String,
    /// The base URL of the sample account.
    pub(super) url: String,
    /// How a server is sent there: an entry of its setting `egress.connect_to`.
    pub(super) connect_to: ConnectTo,
    pub(super) accepted: Vec<AcceptedForm>,
    #[serde(flatten)]
    pub(super) listening: Listening,
}

/// What a person types to link the sample account by one scheme.
#[derive(Serialize)]
pub(super) struct AcceptedForm {
    pub(super) scheme: String,
    pub(super) fields: BTreeMap<String, String>,
}

#[derive(Serialize)]
pub(super) struct ConnectTo {
    pub(super) host: String,
    pub(super) address: SocketAddr,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) without_tls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) authority_file: Option<PathBuf>,
}

/// What both have beside plain HTTP.
#[derive(Serialize)]
pub(super) struct Listening {
    pub(super) tls: Option<SocketAddr>,
    /// URL of the control API.
    pub(super) control: Option<String>,
    /// Where the certificate authority of the TLS side was written to.
    pub(super) authority_file: Option<PathBuf>,
}

impl Emulated {
    /// Prints it: the URLs of the tenants as data.
    pub(super) fn tell(&self, output: Output) -> anyhow::Result<()> {
        if output.json {
            return json_line(self);
        }
        for tenant in &self.tenants {
            line(&tenant.url)?;
        }
        self.listening.tell();
        Ok(())
    }
}

impl Simulated {
    /// Prints it: everything but the other addresses as data.
    pub(super) fn tell(&self, output: Output) -> anyhow::Result<()> {
        if output.json {
            return json_line(self);
        }
        line(self.words())?;
        self.listening.tell();
        Ok(())
    }

    fn words(&self) -> String {
        let mut lines = vec![
            self.url.clone(),
            "\nTo send a server there, in its configuration:\n\n[egress]".to_owned(),
            format!("connect_to = [{}]", self.connect_to.words()),
        ];
        for credential in &self.accepted {
            lines.push(format!("\nAccepted for {}, scheme {}:", self.provider, credential.scheme));
            lines.extend(credential.fields.iter().map(|(name, value)| format!("  {name}={value}")));
        }
        lines.join("\n")
    }
}

impl ConnectTo {
    /// As it stands in a configuration file.
    fn words(&self) -> String {
        let quoted = |text: &str| json!(text).to_string();
        let how = match &self.authority_file {
            Some(file) => format!("authority_file = {}", quoted(&file.display().to_string())),
            None => "without_tls = true".to_owned(),
        };
        let address = quoted(&self.address.to_string());
        format!("{{ host = {}, address = {address}, {how} }}", quoted(&self.host))
    }
}

impl Listening {
    fn tell(&self) {
        if let Some(address) = &self.tls {
            say(format_args!("TLS on {address}"));
        }
        if let Some(url) = &self.control {
            say(format_args!("control API on {url}"));
        }
    }
}
