//! Keys of foreign connection strings: each means something that the file has.

use super::Faults;
use crate::diagnostic::nearest;
use crate::provider::ProviderText;
use crate::setting::Settings;

/// Words that are no fields: a text to paste, and the auth scheme.
const RESERVED: [&str; 2] = ["paste", "auth_scheme"];

/// Checks what the keys and the names of schemes stand for. `settings` are those of the file and the common ones.
pub(super) fn check(written: &ProviderText, settings: &Settings, faults: &mut Faults<'_>) {
    let secrets = written.auth.iter().flat_map(|scheme| scheme.value.fields.names());
    let gates = written.gates.iter().flat_map(|gate| gate.value.fields.names());
    let keys = settings.iter().map(|(key, _)| key);
    let known: Vec<&str> =
        RESERVED.into_iter().chain(written.config.names()).chain(secrets).chain(gates).chain(keys).collect();
    for (key, field) in &written.connection_string {
        if *key != key.to_lowercase() {
            faults.add(
                field.referenced,
                format!("the key `{key}` has capitals"),
                "write it in lower case: capitals make no difference in a connection string",
            );
        }
        if !known.contains(&field.value.as_str()) {
            let fix = match nearest(&field.value, known.iter().copied()) {
                Some(near) => format!("write `{key}: {near}`"),
                None => "name a field, a setting, `paste` or `auth_scheme`".to_owned(),
            };
            faults.add(
                field.referenced,
                format!("`{key}` stands for `{}`, which is no field", field.value),
                fix,
            );
        }
    }
    for (name, scheme) in &written.connection_string_schemes {
        if !scheme.value.is_empty() && !written.declares_scheme(&scheme.value) {
            faults.add(
                scheme.referenced,
                format!("`{name}` stands for the auth scheme `{}`, which is not declared", scheme.value),
                "use the id of a scheme under `auth:`, or an empty text for the default one",
            );
        }
    }
}
