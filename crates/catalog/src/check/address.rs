//! Where requests go: id, hosts, base URL and path rule.

use std::collections::BTreeMap;

use super::Faults;
use super::holes::{self, Allowed};
use crate::diagnostic::nearest;
use crate::field::FieldKind;
use crate::host::{HostPattern, host_of};
use crate::provider::ProviderText;
use crate::template::{Encoding, Scope, Template};

/// Checks that the file is named after its id and that the base URL can only lead to its hosts.
pub(super) fn check(written: &ProviderText, faults: &mut Faults<'_>) {
    check_id(written, faults);
    check_rewrite(written, faults);
    check_url(&written.base_url, written, faults);
}

fn check_id(written: &ProviderText, faults: &mut Faults<'_>) {
    let id = &written.id.value;
    let is_plain = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let stem = faults.file.rsplit('/').next().unwrap_or_default().trim_end_matches(".yaml").to_owned();
    if !is_plain || id.is_empty() {
        faults.add(
            written.id.referenced,
            format!("`{id}` is not an id"),
            "use lower-case letters, digits and `-`",
        );
    } else if stem != *id {
        faults.add(
            written.id.referenced,
            format!("the id `{id}` is not the name of the file"),
            format!("name the file `{id}.yaml`, or write `id: {stem}`"),
        );
    }
}

/// Checks an address that credentials are sent to, or that a person is led to.
pub(super) fn check_url(url: &Template, written: &ProviderText, faults: &mut Faults<'_>) {
    holes::check(url, written, Allowed::Config, faults);
    // A field may bring the scheme with it, which then is checked when it is typed.
    let is_safe = |choice: &str| choice.starts_with("https://") || choice.starts_with("${config.");
    if !url.source().split(" || ").all(is_safe) {
        let message = format!("`{}` does not start with `https://`", url.source());
        faults.add(url.place(), message, "credentials only travel over TLS: write `https://…`");
    }
    for name in url.config_names() {
        if written.config.get(name).is_some_and(|field| field.optional && field.default.is_none())
            && !url.source().contains(" || ")
        {
            faults.add(
                url.place(),
                format!("`config.{name}` is optional, but this address needs it"),
                "remove `optional: true` or give it a default",
            );
        }
    }
    if faults.found.is_empty() {
        check_hosts(url, written, faults);
    }
}

/// Checks the address of a page of the vendor's that a person is sent to: it has to be on one of its hosts. What it needs may
/// be missing; then there is no link.
pub(super) fn check_link(url: &Template, written: &ProviderText, faults: &mut Faults<'_>) {
    holes::check(url, written, Allowed::Config, faults);
    if !url.source().split(" || ").all(|choice| choice.starts_with("https://")) {
        let message = format!("`{}` does not start with `https://`", url.source());
        faults.add(url.place(), message, "write `https://…`, on one of `hosts`");
    }
    if faults.found.is_empty() {
        check_hosts(url, written, faults);
    }
}

/// Renders an address with every choice, and with an example for what is not a choice: the host must always be one of
/// the allowed ones, or nobody could ever connect.
fn check_hosts(url: &Template, written: &ProviderText, faults: &mut Faults<'_>) {
    let mut configurations = vec![BTreeMap::new()];
    for name in url.config_names() {
        let Some(field) = written.config.get(name) else { continue };
        let values = match (field.kind, &field.example) {
            (FieldKind::Choice, _) => field.choices.clone(),
            (_, Some(example)) => vec![example.clone()],
            // What a whole host name may be, and what a part of one may be.
            (_, None) => vec![if has_typed_host(written) { "x.example.com" } else { "x" }.to_owned()],
        };
        configurations = configurations
            .iter()
            .flat_map(|known| values.iter().map(move |value| with(known, name, value)))
            .collect();
    }
    for config in &configurations {
        let scope = Scope { config: Some(config), ..Scope::default() };
        let rendered = url.render(&scope, Encoding::Url);
        match rendered.as_deref().map(host_of) {
            Err(error) => faults.add(
                url.place(),
                format!("`{}` cannot be built from the examples: {error}", url.source()),
                "the part of a host name is letters, digits, `-` and `.`: mend the field's example or choices",
            ),
            Ok(host) if !written.hosts.iter().any(|pattern| pattern.matches(host)) => faults.add(
                url.place(),
                format!("`{}` leads to `{host}`, which none of `hosts` allows", url.source()),
                "add a pattern for it to `hosts`, such as `{subdomain}.example.com`",
            ),
            Ok(_) => continue,
        }
        return; // One example says it all.
    }
}

fn has_typed_host(written: &ProviderText) -> bool {
    written.hosts.iter().any(HostPattern::is_typed)
}

fn with(known: &BTreeMap<String, String>, name: &str, value: &str) -> BTreeMap<String, String> {
    let mut config = known.clone();
    config.insert(name.to_owned(), value.to_owned());
    config
}

fn check_rewrite(written: &ProviderText, faults: &mut Faults<'_>) {
    let Some(rewrite) = &written.path_rewrite else { return };
    holes::check(&rewrite.to, written, Allowed::Config, faults);
    if written.config.get(&rewrite.when).is_none() {
        let fix = match nearest(&rewrite.when, written.config.names()) {
            Some(near) => format!("write `when: {near}`"),
            None => "name a field of `config`".to_owned(),
        };
        faults.add(rewrite.to.place(), format!("`when: {}` is no field of `config`", rewrite.when), fix);
    }
    for (key, prefix) in
        [("from", rewrite.from.as_str()), ("to", rewrite.to.source()), ("only_below", &rewrite.only_below)]
    {
        if !prefix.starts_with('/') || !prefix.ends_with('/') {
            faults.add(
                rewrite.to.place(),
                format!("`{key}: {prefix}` of the path rule is no prefix of whole segments"),
                "begin and end it with `/`",
            );
        }
    }
}
