//! Gates: layers in front of an API that ask for something of their own.

use serde::{Deserialize, Serialize};

use crate::field::Fields;
use crate::host::HostPattern;
use crate::text::Text;

/// A layer in front of the API that asks for something of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Which gate it is.
    #[serde(rename = "type")]
    pub kind: GateKind,
    /// The gate's name for people.
    pub name: Text,
    /// When somebody needs it.
    pub explain: Option<Text>,
    /// The fields that the gate asks for; all of them are optional together. Those of a client certificate stand in the
    /// common file, because they are the same at every vendor.
    #[serde(default)]
    pub fields: Fields,
    /// Where requests go instead when the gate is used, for vendors that open another host to it.
    #[serde(default)]
    pub twins: Vec<Twin>,
}

/// A host and the one that stands for it when a gate is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twin {
    /// The host as the rest of the file knows it.
    pub host: HostPattern,
    /// The host that requests go to. Its holes are those of `host`.
    pub twin: HostPattern,
}

/// The known gates. A closed set: each arm is known to the crate `auth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    /// HTTP Basic (RFC 7617) in the `Authorization` header.
    HttpBasic,
    /// A certificate that we show in the TLS handshake.
    ClientCertificate,
}

impl Gate {
    /// The host that stands for another one when this gate is used.
    pub fn twin_of(&self, host: &str) -> Option<String> {
        self.twins.iter().find_map(|pair| pair.twin.filled_from(&pair.host, host))
    }
}

impl GateKind {
    /// The gate's name in files and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HttpBasic => "http_basic",
            Self::ClientCertificate => "client_certificate",
        }
    }

    /// The fields that a gate of this kind has.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::HttpBasic => &["basic_username", "basic_password"],
            Self::ClientCertificate => {
                &["certificate", "certificate_type", "certificate_password", "certificate_subject"]
            }
        }
    }

    /// The fields without which the gate does not open.
    pub const fn needed_fields(self) -> &'static [&'static str] {
        match self {
            Self::HttpBasic => &["basic_username", "basic_password"],
            Self::ClientCertificate => &["certificate"],
        }
    }

    /// The names under which what opens the gate is kept among the credentials. A certificate is brought into one form
    /// when it is typed, so that neither its file nor its password is kept.
    pub const fn credentials(self) -> &'static [&'static str] {
        match self {
            Self::HttpBasic => &["basic_username", "basic_password"],
            Self::ClientCertificate => &["client_certificate"],
        }
    }
}
