//! Auth schemes.

use super::{Faults, address, expressions};
use crate::diagnostic::{Place, nearest};
use crate::field::FieldKind;
use crate::host::HostPattern;
use crate::oauth2::OAuth2;
use crate::provider::ProviderText;
use crate::scheme::{AuthScheme, Entries, SchemeKind};

/// The schemes, as far as their declarations are whole.
pub(super) fn read(written: &ProviderText, faults: &mut Faults<'_>) -> Vec<AuthScheme> {
    let mut schemes: Vec<AuthScheme> = Vec::new();
    for text in &written.auth {
        let place = text.referenced.into();
        match text.value.clone().into_scheme() {
            Err((wrong, fix)) => faults.add(place, wrong, fix),
            Ok(scheme) if schemes.iter().any(|known| known.id == scheme.id) => faults.add(
                place,
                format!("there are two auth schemes `{}`", scheme.id),
                "give one of them another id",
            ),
            Ok(scheme) => {
                for header in scheme.headers() {
                    check_header(Some(header), place, faults);
                }
                check_cookie(&scheme, place, faults);
                if let Some(entries) = scheme.entries() {
                    check_entries(entries, place, written, faults);
                }
                if let Some(oauth2) = scheme.oauth2() {
                    check_oauth2(oauth2, place, written, faults);
                }
                for header in scheme.send.headers.keys() {
                    check_header(Some(header), place, faults);
                }
                expressions::check(&scheme, place, written, faults);
                schemes.push(scheme);
            }
        }
    }
    if written.auth.is_empty() {
        faults.add(written.id.referenced, "there is no auth scheme", "add at least one under `auth:`");
    }
    for header in &written.strip_headers {
        check_header(Some(header), written.id.referenced.into(), faults);
    }
    schemes
}

fn check_entries(entries: &Entries, place: Place, written: &ProviderText, faults: &mut Faults<'_>) {
    match written.config.get(&entries.by) {
        None => {
            let fix = match nearest(&entries.by, written.config.names()) {
                Some(near) => format!("write `by: {near}`, or declare `{}` under `config`", entries.by),
                None => "declare it under `config` with `type: list`".to_owned(),
            };
            faults.add(place, format!("`entries.by: {}` is no field of `config`", entries.by), fix);
        }
        Some(field) if field.kind != FieldKind::List => faults.add(
            place,
            format!("`entries.by: {}` is a field that holds one value", entries.by),
            format!("give `config.{}` the `type: list`: it is paired with the keys by position", entries.by),
        ),
        Some(_) => {}
    }
    if entries.max == 0 {
        faults.add(
            place,
            "`entries.max: 0` allows no key at all",
            "write how many keys one request may carry",
        );
    }
    if entries.select.iter().any(|selector| selector.query.is_none() && selector.body.is_none()) {
        faults.add(
            place,
            "a selector of `entries.select` says nowhere to look",
            "give it `query: NAME` or `body: PATH`",
        );
    }
}

fn check_oauth2(oauth2: &OAuth2, place: Place, written: &ProviderText, faults: &mut Faults<'_>) {
    for url in oauth2.urls() {
        address::check_url(url, written, faults);
    }
    check_redirected(oauth2, written, faults);
    for (field, path) in &oauth2.token_answer.config {
        if written.config.get(field).is_none() {
            let fix = format!("declare `{field}` under `config`, or remove the line `{field}: {path}`");
            faults.add(place, format!("`token_answer.config.{field}` is no field of `config`"), fix);
        }
    }
    for header in oauth2.token_headers.keys() {
        check_header(Some(header), place, faults);
    }
}

/// Where any host will do, it is typed by whoever links the account. A redirect passes through a browser, so what it carries
/// does not choose where the secrets go.
fn check_redirected(oauth2: &OAuth2, written: &ProviderText, faults: &mut Faults<'_>) {
    if !written.hosts.iter().any(HostPattern::is_typed) {
        return;
    }
    for address in oauth2.token_urls().chain([&written.base_url]) {
        let chosen = address.config_names().find(|name| oauth2.redirect_config.contains_key(*name));
        if let Some(name) = chosen {
            faults.add(
                address.place(),
                format!("the vendor's redirect fills `config.{name}`, and so would choose any host for the secrets"),
                format!("name the vendor's hosts in `hosts`, or have `{name}` typed: remove it from `redirect_config`"),
            );
        }
    }
}

/// The name of a cookie is a token, and what goes along with it can stand in a header (RFC 6265 §4.1.1).
fn check_cookie(scheme: &AuthScheme, place: Place, faults: &mut Faults<'_>) {
    let SchemeKind::SessionCookie { cookie, headers, .. } = &scheme.kind else { return };
    if cookie.is_empty() || !cookie.bytes().all(is_token) {
        faults.add(
            place,
            format!("`{cookie}` is not the name of a cookie"),
            "use letters, digits, `-` and `_`",
        );
    }
    for (name, value) in headers {
        if value.is_empty() || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            faults.add(
                place,
                format!("the value of the header `{name}` cannot be sent"),
                "write visible ASCII characters",
            );
        }
    }
}

/// A header name is a token (RFC 9110 §5.6.2).
fn check_header(header: Option<&str>, place: Place, faults: &mut Faults<'_>) {
    if let Some(header) = header.filter(|name| name.is_empty() || !name.bytes().all(is_token)) {
        faults.add(
            place,
            format!("`{header}` is not the name of a header"),
            "use letters, digits and `-`, such as `X-Api-Key`",
        );
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
