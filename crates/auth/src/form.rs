//! What a person typed becomes configuration and credentials, or a list of what is wrong with it.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use tombolo_catalog::{AuthScheme, Field, FieldError, Gate, GateKind, Provider, SchemeKind, Text};
use zeroize::Zeroizing;

use crate::certificate::{CertificateFacts, CertificateFile, CertificateKind, ClientCertificate};
use crate::credentials::{Credentials, CredentialsBuilder};

/// Typed values by field name. All are held as secrets until their field says that they are none.
pub type Typed = BTreeMap<String, SecretString>;

/// The form of one provider and one of its auth schemes.
pub struct Form<'a> {
    /// The provider.
    pub provider: &'a Provider,
    /// The scheme.
    pub scheme: &'a AuthScheme,
    /// The present moment in seconds since 1970: certificates are looked at in its light.
    pub now: i64,
}

/// An accepted form.
#[derive(Debug)]
pub struct Accepted {
    /// The configuration: no secrets.
    pub config: BTreeMap<String, String>,
    /// The gates that were filled in.
    pub gates: Vec<GateKind>,
    /// What the client certificate says of itself, if there is one.
    pub certificate: Option<CertificateFacts>,
    /// The credentials, complete when `entries` is [`FormEntries::Placed`].
    pub credentials: Credentials,
    /// Whether it is known which entry is for what.
    pub entries: FormEntries,
}

/// Whether it is known which entry is for what.
#[derive(Debug)]
pub enum FormEntries {
    /// The scheme has no entries, or each was paired by position.
    Placed,
    /// The counts differ: each secret has to be tried against each key.
    Unplaced {
        /// The secrets in the order in which they were typed.
        secrets: Vec<SecretString>,
        /// The keys in the order in which they were typed.
        keys: Vec<String>,
    },
}

impl Form<'_> {
    /// Folds and checks everything that was typed. All faults come back at once, none with a value in it.
    pub fn accept(&self, typed: &Typed) -> Result<Accepted, Vec<FieldError>> {
        let mut faults = self.unknown_fields(typed);
        let mut config = BTreeMap::new();
        for (name, field) in self.provider.config.iter() {
            match accept(field, name, typed) {
                Ok(Some(value)) => drop(config.insert(name.to_owned(), value.to_string())),
                Ok(None) => {}
                Err(fault) => faults.push(fault),
            }
        }
        let mut builder = CredentialsBuilder::new();
        let mut certificate = None;
        let gates = self.filled_gates(typed);
        faults.extend(self.impossible(typed, &gates));
        for gate in self.provider.gates.iter().filter(|gate| gates.contains(&gate.kind)) {
            builder = match gate.kind {
                GateKind::HttpBasic => accept_basic(gate, typed, builder, &mut faults),
                GateKind::ClientCertificate => match self.accept_certificate(gate, typed) {
                    Ok((opened, facts)) => {
                        certificate = Some(facts);
                        builder.value(ClientCertificate::CREDENTIAL, &opened.to_pem())
                    }
                    Err(found) => {
                        faults.extend(found);
                        builder
                    }
                },
            };
        }
        let (builder, entries) = self.accept_scheme(typed, &mut config, builder, &mut faults);
        if faults.is_empty() {
            Ok(Accepted { config, gates, certificate, credentials: builder.build(), entries })
        } else {
            Err(faults)
        }
    }

    /// The gates that somebody meant to fill in. A client certificate is not meant by its kind alone, which a form may
    /// have preset, unless it names a store.
    fn filled_gates(&self, typed: &Typed) -> Vec<GateKind> {
        let is_filled = |gate: &&Gate| match gate.kind {
            GateKind::HttpBasic => gate.fields.names().any(|name| is_filled(typed, name)),
            GateKind::ClientCertificate => {
                let rest = gate.fields.names().filter(|name| *name != CERTIFICATE_TYPE);
                rest.into_iter().any(|name| is_filled(typed, name))
                    || matches!(certificate_kind(typed), Some(CertificateKind::Store(_)))
            }
        };
        self.provider.gates.iter().filter(is_filled).map(|gate| gate.kind).collect()
    }

    /// What the vendor does not offer together: what its file says, and what shares one header.
    fn impossible(&self, typed: &Typed, gates: &[GateKind]) -> Vec<FieldError> {
        let field_of = |kind: GateKind| kind.needed_fields().first().copied().unwrap_or_default();
        let filled = |name: &str| is_filled(typed, name);
        let mut faults: Vec<FieldError> = self
            .provider
            .impossible
            .iter()
            .filter(|row| row.is_met(&self.scheme.id, gates, filled))
            .map(|row| {
                let field = row.field.as_deref().or(row.gates.first().map(|gate| field_of(*gate)));
                let field = field.unwrap_or("auth_scheme").to_owned();
                FieldError { field, code: "impossible_combination", message: row.message() }
            })
            .collect();
        let basic = self.provider.gates.iter().find(|gate| gate.kind == GateKind::HttpBasic);
        if let Some(gate) = basic.filter(|gate| gates.contains(&gate.kind))
            && self.scheme.uses_authorization_header()
            && faults.is_empty()
        {
            faults.push(gate_collision(&gate.name, field_of(gate.kind)));
        }
        faults
    }

    fn accept_certificate(
        &self,
        gate: &Gate,
        typed: &Typed,
    ) -> Result<(ClientCertificate, CertificateFacts), Vec<FieldError>> {
        let mut faults = Vec::new();
        let mut accepted = |name: &str| {
            let field = gate.fields.get(name)?;
            accept(field, name, typed).unwrap_or_else(|fault| {
                faults.push(fault);
                None
            })
        };
        let [material, password, subject] =
            ["certificate", "certificate_password", "certificate_subject"].map(&mut accepted);
        // A kind that is none of the choices may still be the name of a store, of which more can be said.
        let kind = certificate_kind(typed).or_else(|| {
            accepted(CERTIFICATE_TYPE);
            None
        });
        let Some(kind) = kind.filter(|_| faults.is_empty()) else { return Err(faults) };
        let [material, password, subject] =
            [&material, &password, &subject].map(|value| value.as_ref().map_or("", |value| value.as_str()));
        let file = CertificateFile { kind, material, password, subject };
        ClientCertificate::read(&file, self.now).map_err(|fault| vec![fault.into_field_error()])
    }

    fn accept_scheme(
        &self,
        typed: &Typed,
        config: &mut BTreeMap<String, String>,
        mut builder: CredentialsBuilder,
        faults: &mut Vec<FieldError>,
    ) -> (CredentialsBuilder, FormEntries) {
        let mut placement = FormEntries::Placed;
        for (name, field) in self.scheme.fields.iter() {
            let value = match accept(field, name, typed) {
                Ok(Some(value)) => value,
                Ok(None) => continue,
                Err(fault) => {
                    faults.push(fault);
                    continue;
                }
            };
            let entries = match &self.scheme.kind {
                SchemeKind::ApiKey { field: secret, entries: Some(entries), .. } if secret == name => entries,
                _ => {
                    builder = builder.value(name, &value);
                    continue;
                }
            };
            let secrets: Vec<&str> = value.split(',').collect();
            let keys: Vec<String> = config
                .get(&entries.by)
                .map(|list| list.split(',').map(str::to_owned).collect())
                .unwrap_or_default();
            if secrets.len() > entries.max {
                faults.push(too_many(name, field, entries.max));
            } else if keys.is_empty() {
                faults.push(needed_for_entries(self.provider, &entries.by));
            } else if let Some(twice) = first_twice(&keys) {
                faults.push(key_twice(&entries.by, twice));
            } else if keys.len() == secrets.len() {
                for (key, secret) in keys.iter().zip(&secrets) {
                    builder = builder.entry(key, secret);
                }
            } else {
                let secrets = secrets.into_iter().map(SecretString::from).collect();
                placement = FormEntries::Unplaced { secrets, keys };
            }
        }
        (builder, placement)
    }

    fn unknown_fields(&self, typed: &Typed) -> Vec<FieldError> {
        let gate_fields = self.provider.gates.iter().flat_map(|gate| gate.fields.names());
        let known: Vec<&str> =
            self.provider.config.names().chain(gate_fields).chain(self.scheme.fields.names()).collect();
        let of_other_schemes: Vec<&str> =
            self.provider.auth.iter().flat_map(|scheme| scheme.fields.names()).collect();
        typed
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
            // Of these more can be said than that they are unknown.
            .filter(|name| !self.provider.impossible.iter().any(|row| row.field.as_ref() == Some(*name)))
            .map(|name| {
                let name: String = name.chars().take(80).collect();
                let message = if of_other_schemes.contains(&name.as_str()) {
                    Text {
                        en: format!("`{name}` belongs to another auth scheme than `{}`.", self.scheme.id),
                        ja: format!("「{name}」は認証方法「{}」では使いません。", self.scheme.id),
                    }
                } else {
                    Text {
                        en: format!("There is no field `{name}`. The fields are: {}.", known.join(", ")),
                        ja: format!("項目「{name}」はありません。使える項目: {}", known.join(", ")),
                    }
                };
                FieldError { field: name, code: "unknown_field", message }
            })
            .collect()
    }
}

const CERTIFICATE_TYPE: &str = "certificate_type";

fn certificate_kind(typed: &Typed) -> Option<CertificateKind> {
    let text = typed.get(CERTIFICATE_TYPE).map(ExposeSecret::expose_secret).unwrap_or_default();
    CertificateKind::parse(text)
}

fn accept_basic(
    gate: &Gate,
    typed: &Typed,
    mut builder: CredentialsBuilder,
    faults: &mut Vec<FieldError>,
) -> CredentialsBuilder {
    for (name, field) in gate.fields.iter() {
        let needed = Field { optional: false, ..field.clone() };
        match accept(&needed, name, typed) {
            Ok(Some(value)) => builder = builder.value(name, &value),
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    builder
}

fn accept(field: &Field, name: &str, typed: &Typed) -> Result<Option<Zeroizing<String>>, FieldError> {
    let text = typed.get(name).map(ExposeSecret::expose_secret).unwrap_or_default();
    Ok(field.accept(name, text)?.map(Zeroizing::new))
}

fn is_filled(typed: &Typed, name: &str) -> bool {
    typed.get(name).is_some_and(|value| !value.expose_secret().is_empty())
}

fn first_twice(keys: &[String]) -> Option<&String> {
    keys.iter().enumerate().find(|(position, key)| keys[..*position].contains(key)).map(|(_, key)| key)
}

fn gate_collision(gate: &Text, field: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        code: "gate_collision",
        message: Text {
            en: format!(
                "{} and this credential travel in the same header, so they cannot be combined.",
                gate.en
            ),
            ja: format!("{}とこの認証情報は同じヘッダーを使うため、組み合わせることができません。", gate.ja),
        },
    }
}

fn too_many(name: &str, field: &Field, max: usize) -> FieldError {
    FieldError {
        field: name.to_owned(),
        code: "too_many",
        message: Text {
            en: format!(
                "{}: one request carries at most {max}. Make a second connection for the rest.",
                field.label.en
            ),
            ja: format!("{}は{max}個までです。残りは別の接続に分けてください。", field.label.ja),
        },
    }
}

fn needed_for_entries(provider: &Provider, by: &str) -> FieldError {
    let label = provider.config.get(by).map(|field| field.label.clone());
    let label = label.unwrap_or_else(|| Text { en: by.to_owned(), ja: by.to_owned() });
    FieldError {
        field: by.to_owned(),
        code: "required",
        message: Text {
            en: format!("{} are needed, one for each key in the same order.", label.en),
            ja: format!("{}を、同じ順番で1つずつ入力してください。", label.ja),
        },
    }
}

fn key_twice(by: &str, key: &str) -> FieldError {
    FieldError {
        field: by.to_owned(),
        code: "twice",
        message: Text {
            en: format!("`{key}` stands twice."),
            ja: format!("「{key}」が2回指定されています。"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_catalog::Catalog;

    fn fill(provider: &str, scheme: &str, fields: &[(&str, &str)]) -> String {
        let catalog = Catalog::built_in().expect("the built-in files load");
        let provider = catalog.get(provider).expect("the provider");
        let form = Form { provider, scheme: provider.scheme(scheme).expect("the scheme"), now: 0 };
        let typed = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        match form.accept(&typed) {
            Ok(accepted) => {
                let entries: Vec<String> =
                    accepted.credentials.entries().map(|(key, secret)| format!("{key}={secret}")).collect();
                let unplaced = matches!(accepted.entries, FormEntries::Unplaced { .. });
                format!(
                    "{:?} gates={} entries={} unplaced={unplaced}",
                    accepted.config,
                    accepted.gates.len(),
                    entries.join(" ")
                )
            }
            Err(faults) => {
                let faults: Vec<String> =
                    faults.iter().map(|fault| format!("{}:{}", fault.field, fault.code)).collect();
                faults.join(" ")
            }
        }
    }

    #[test]
    fn a_form_is_accepted_whole_or_every_fault_is_named() {
        let tenant = [("subdomain", "acme"), ("domain", "cybozu.com")];
        let with = |more: &[(&'static str, &'static str)]| [&tenant[..], more].concat();
        for (provider, scheme, fields, expected) in [
            (
                "kintone",
                "api_token",
                with(&[("token", "aaaaaaaa, bbbbbbbb"), ("app", "1,2")]),
                r#"{"app": "1,2", "domain": "cybozu.com", "subdomain": "acme"} gates=0 entries=1=aaaaaaaa 2=bbbbbbbb unplaced=false"#,
            ),
            (
                "kintone",
                "api_token",
                with(&[("token", "aaaaaaaa,bbbbbbbb"), ("app", "1,2,3")]),
                r#"{"app": "1,2,3", "domain": "cybozu.com", "subdomain": "acme"} gates=0 entries= unplaced=true"#,
            ),
            ("kintone", "api_token", with(&[("token", "aaaaaaaa")]), "app:required"),
            ("kintone", "api_token", with(&[("token", "aaaaaaaa"), ("app", "1,1")]), "app:twice"),
            ("kintone", "api_token", with(&[("token", ","), ("app", ",")]), "token:required"),
            ("kintone", "api_token", with(&[("token", "、"), ("app", "1")]), "token:required"),
            ("kintone", "api_token", with(&[("token", "aaaaaaaa"), ("app", ",")]), "app:required"),
            ("kintone", "api_token", vec![("app", "x")], "subdomain:required app:pattern token:required"),
            ("kintone", "api_token", with(&[("token", "a\r\nb"), ("app", "1")]), "token:pattern"),
            ("kintone", "api_token", with(&[("password", "x")]), "password:unknown_field token:required"),
            (
                "kintone",
                "password",
                with(&[("login_name", "suzuki"), ("password", " x "), ("basic_username", "u")]),
                "basic_password:required",
            ),
            (
                "kintone-user-api",
                "token",
                with(&[("token", "cy.s.api1.aa.bb"), ("basic_username", "u"), ("basic_password", "p")]),
                "basic_username:impossible_combination",
            ),
        ] {
            assert_eq!(fill(provider, scheme, &fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn ten_tokens_are_too_many() {
        let ten = ["aaaaaaaa"; 10].join(",");
        let fields = [("subdomain", "acme"), ("token", ten.as_str()), ("app", "1")];
        assert_eq!(fill("kintone", "api_token", &fields), "token:too_many");
    }
}
