//! The lines of a shell that do what the form does.

use tombolo_platform::catalog::{
    AuthScheme, CredentialUse, Encoding, Field, FieldKind, Provider, Scope, Template,
};

use super::super::markdown::compose::one_line;
use super::Guide;

impl Guide<'_> {
    /// Makes a connection with one auth scheme.
    pub(super) fn command(&self, scheme: &AuthScheme) -> String {
        let (provider, say) = (self.provider, self.say);
        let verb = if scheme.needs_browser() { "link" } else { "create" };
        let mut lines = vec![format!(
            "tombolo connection {verb} --provider {} --name {}",
            provider.id,
            quoted(say.of(&provider.name))
        )];
        // A link takes the first scheme that needs a browser, everything else the first of all.
        let usual = provider.auth.iter().find(|known| known.needs_browser() || !scheme.needs_browser());
        if usual.is_some_and(|usual| usual.id != scheme.id) {
            lines.push(format!("--auth-scheme {}", scheme.id));
        }
        let paired = scheme.entries().map(|entries| entries.by.as_str());
        // Where the OAuth client is registered is known to it.
        let of_client = if scheme.needs_browser() { client_fields(provider, scheme) } else { Vec::new() };
        for (name, field) in provider.config.iter() {
            // What is chosen stands there even where one choice is the usual one.
            let is_needed = !field.optional && (field.default.is_none() || field.kind == FieldKind::Choice);
            if (is_needed || paired == Some(name)) && !field.automatic && !of_client.contains(&name) {
                lines.push(option(provider, name, field));
            }
        }
        for (name, field) in scheme.fields.iter().filter(|(_, field)| !field.optional && !field.automatic) {
            lines.push(option(provider, name, field));
        }
        in_lines(&lines)
    }

    /// A call that the connection test makes as well.
    pub(super) fn example_call(&self) -> String {
        let provider = self.provider;
        let name = quoted(self.say.of(&provider.name));
        let examples = provider.config.iter().map(|(name, field)| (name.to_owned(), example(name, field)));
        let examples = examples.collect();
        let scope = Scope { config: Some(&examples), entry: Some(&examples), ..Scope::default() };
        let stages = provider.test.iter();
        let plain = stages.filter(|stage| {
            stage.credentials == CredentialUse::All
                && stage.schemes.is_none()
                && stage.request.method == "GET"
        });
        let path = plain.filter_map(|stage| {
            let path = stage.request.path.render(&scope, Encoding::Text).ok()?;
            let query = stage.request.query.iter().map(|(name, value)| {
                Some(format!("{name}={}", value.render(&scope, Encoding::QueryValue).ok()?))
            });
            let query = query.collect::<Option<Vec<_>>>()?.join("&");
            Some(if query.is_empty() { path } else { format!("{path}?{query}") })
        });
        let path = path.into_iter().next().unwrap_or_else(|| "/".to_owned());
        format!("tombolo request -c {name} GET {}", quoted(&path))
    }
}

/// Makes the OAuth client here, and gives what the vendor says.
pub(super) fn client_commands(provider: &Provider, scheme: &AuthScheme) -> (String, String) {
    let mut lines = vec![format!("tombolo oauth-client create --provider {} --name main", provider.id)];
    let first = provider.auth.iter().find(|scheme| scheme.needs_browser());
    if first.is_some_and(|first| first.id != scheme.id) {
        lines.push(format!("--auth-scheme {}", scheme.id));
    }
    for name in client_fields(provider, scheme) {
        if let Some(field) = provider.config.get(name).filter(|field| field.default.is_none()) {
            lines.push(option(provider, name, field));
        }
    }
    let give = "tombolo oauth-client update main --client-id ID --secret-from env:CLIENT_SECRET".to_owned();
    (in_lines(&lines), give)
}

/// The fields of the configuration that say where an OAuth client is registered.
fn client_fields<'a>(provider: &'a Provider, scheme: &'a AuthScheme) -> Vec<&'a str> {
    let urls = scheme.token_urls().into_iter().chain(scheme.authorization_url());
    let mut names: Vec<&str> = urls.flat_map(Template::config_names).collect();
    names.sort_unstable();
    names.dedup();
    provider.config.names().filter(|name| names.contains(name)).collect()
}

fn option(provider: &Provider, name: &str, field: &Field) -> String {
    if field.secret {
        let variable = format!("{}_{name}", provider.id)
            .to_uppercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        return format!("--secret-from {name}=env:{variable}");
    }
    format!("--field {}", quoted(&format!("{name}={}", example(name, field))))
}

/// A value that shows what is meant.
pub(super) fn example(name: &str, field: &Field) -> String {
    let known = field.example.clone().or_else(|| field.default.clone());
    let chosen = || field.choices.first().filter(|_| field.kind == FieldKind::Choice).cloned();
    known.or_else(chosen).unwrap_or_else(|| name.to_uppercase())
}

/// One command over several lines.
fn in_lines(parts: &[String]) -> String {
    parts.join(" \\\n  ")
}

/// A text as one word of a shell.
pub(super) fn quoted(word: &str) -> String {
    let word = one_line(word);
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_./=:@,+".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A text with blanks before every line but its first.
pub(super) fn indented(text: &str, blank: &str) -> String {
    let mut lines = text.lines();
    let mut all = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        all.push('\n');
        if !line.is_empty() {
            all.push_str(blank);
            all.push_str(line);
        }
    }
    all
}
