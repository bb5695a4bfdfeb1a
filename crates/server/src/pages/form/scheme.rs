//! The part of a form that belongs to one auth scheme.

use tombolo_platform::catalog::{AuthScheme, SchemeKind};

use super::clients::ClientsView;
use super::{Drawn, Input};

/// An auth scheme to choose, with its fields.
pub(crate) struct SchemeView {
    /// Its id.
    pub(crate) id: String,
    /// Its name for people.
    pub(crate) name: String,
    /// What it reaches, and who can revoke it.
    pub(crate) explain: String,
    /// Whether it is the one that is chosen.
    pub(crate) chosen: bool,
    /// Whether a person agrees at the vendor instead of typing a secret.
    pub(crate) at_vendor: bool,
    /// Its fields, without those of the rows.
    pub(crate) inputs: Vec<Input>,
    /// What belongs together and may be given several times, such as an app and its token.
    pub(crate) rows: Vec<Row>,
    /// What the vendor does not offer to it, and what to do instead.
    pub(crate) limits: Vec<String>,
    /// The OAuth clients to choose from, where somebody may.
    pub(crate) clients: Option<ClientsView>,
}

/// Fields that belong together.
pub(crate) struct Row {
    /// The fields.
    pub(crate) inputs: Vec<Input>,
    /// Whether something stands in it already.
    pub(crate) is_used: bool,
}

/// The field of the configuration that stands in rows beside the secret.
pub(super) fn key_of_rows(scheme: &AuthScheme) -> Option<&str> {
    rows_of(scheme).map(|(by, ..)| by)
}

/// Key, secret, and most rows.
fn rows_of(scheme: &AuthScheme) -> Option<(&str, &str, usize)> {
    match &scheme.kind {
        SchemeKind::ApiKey { field, entries: Some(entries), .. } if entries.max > 1 => {
            Some((&entries.by, field, entries.max))
        }
        _ => None,
    }
}

impl Drawn<'_> {
    pub(super) fn scheme(&self, scheme: &AuthScheme, chosen: bool) -> SchemeView {
        let part = format!("s.{}", scheme.id);
        let words = |text: &tombolo_platform::catalog::Text| self.shell.of(text).to_owned();
        let rows = rows_of(scheme);
        let secret_of_rows = rows.map(|(_, secret, _)| secret);
        let is_asked = |name: &str| !self.given.contains(name) && Some(name) != secret_of_rows;
        let mut inputs: Vec<Input> = scheme
            .fields
            .iter()
            .filter(|(name, field)| is_asked(name) && !field.automatic)
            .map(|(name, field)| self.input(&part, name, field))
            .collect();
        if rows.is_none() {
            // What other schemes have in rows is one list here.
            let others = self.provider.auth.iter().filter_map(key_of_rows).filter(|name| is_asked(name));
            let fields = others.filter_map(|name| Some((name, self.provider.config.get(name)?)));
            inputs.extend(fields.map(|(name, field)| self.input(&part, name, field)));
        }
        let impossible = self
            .provider
            .impossible
            .iter()
            .filter(|row| row.scheme.as_deref() == Some(&scheme.id) && !row.gates.is_empty());
        let unavailable = scheme.unavailable.iter().map(|row| (&row.says, &row.fix));
        let limits = impossible.map(|row| (&row.says, &row.fix)).chain(unavailable);
        SchemeView {
            id: scheme.id.clone(),
            name: words(&scheme.name),
            explain: scheme.explain.as_ref().map(words).unwrap_or_default(),
            chosen,
            at_vendor: scheme.needs_browser(),
            inputs,
            rows: rows
                .map(|(by, secret, most)| self.rows(scheme, &part, by, secret, most))
                .unwrap_or_default(),
            limits: limits.map(|(says, fix)| format!("{} {}", words(says), words(fix))).collect(),
            clients: None,
        }
    }

    fn rows(&self, scheme: &AuthScheme, part: &str, by: &str, secret: &str, most: usize) -> Vec<Row> {
        let key = self.provider.config.get(by).filter(|_| !self.given.contains(by));
        let secret_field = scheme.fields.get(secret).filter(|_| !self.given.contains(secret));
        let has_key = key.is_some();
        (0..most)
            .map(|row| {
                let key = key.map(|field| self.input_of_item(part, by, field, row));
                let secret = secret_field.map(|field| self.input_of_item(part, secret, field, row));
                let mut inputs: Vec<Input> = key.into_iter().chain(secret).collect();
                for input in &mut inputs {
                    // Once is enough.
                    if row > 0 {
                        input.help.clear();
                        input.steps.clear();
                    }
                }
                // The page of a secret is that of its row; the other is the same for all.
                if let Some(key) = inputs.first_mut().filter(|_| row > 0 && has_key) {
                    key.has_place = false;
                    key.place.clear();
                }
                let is_used = inputs.iter().any(|input| !input.value.is_empty());
                Row { inputs, is_used }
            })
            .filter(|row| !row.inputs.is_empty())
            .collect()
    }
}
