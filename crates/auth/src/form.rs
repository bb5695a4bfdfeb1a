//! What a person typed becomes configuration and credentials, or a list of what is wrong with it.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use tombolo_catalog::{AuthScheme, Field, FieldError, GateKind, Provider, SchemeKind, Text};
use zeroize::Zeroizing;

use crate::credentials::{Credentials, CredentialsBuilder};

/// Typed values by field name. All are held as secrets until their field says that they are none.
pub type Typed = BTreeMap<String, SecretString>;

/// The form of one provider and one of its auth schemes.
pub struct Form<'a> {
    /// The provider.
    pub provider: &'a Provider,
    /// The scheme.
    pub scheme: &'a AuthScheme,
}

/// An accepted form.
#[derive(Debug)]
pub struct Accepted {
    /// The configuration: no secrets.
    pub config: BTreeMap<String, String>,
    /// The gates that were filled in.
    pub gates: Vec<GateKind>,
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
        let mut gates = Vec::new();
        for gate in &self.provider.gates {
            let filled = gate.fields.names().any(|name| is_filled(typed, name));
            if !filled {
                continue;
            }
            if self.scheme.uses_authorization_header() {
                faults.push(gate_collision(&gate.name, gate.fields.names().next().unwrap_or_default()));
                continue;
            }
            gates.push(gate.kind);
            for (name, field) in gate.fields.iter() {
                let needed = Field { optional: false, ..field.clone() };
                match accept(&needed, name, typed) {
                    Ok(Some(value)) => builder = builder.value(name, &value),
                    Ok(None) => {}
                    Err(fault) => faults.push(fault),
                }
            }
        }
        let (builder, entries) = self.accept_scheme(typed, &mut config, builder, &mut faults);
        if faults.is_empty() {
            Ok(Accepted { config, gates, credentials: builder.build(), entries })
        } else {
            Err(faults)
        }
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
        let form = Form { provider, scheme: provider.scheme(scheme).expect("the scheme") };
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
                "basic_username:gate_collision",
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
