//! What every file in `providers/` keeps beyond being valid.

use tombolo_catalog::{Catalog, Fields, Language, Provider, Scope, Text};

#[test]
fn every_text_is_there_in_both_languages() {
    for_each_provider(|provider| {
        for (what, text) in texts(provider) {
            for language in [Language::En, Language::Ja] {
                assert!(!text.get(language).trim().is_empty(), "{}: {what} in {language:?}", provider.id);
            }
            let is_japanese = !text.ja.is_ascii();
            // Names of products and of technical things are the same in both languages.
            assert!(
                is_japanese || text.en.eq_ignore_ascii_case(&text.ja),
                "{}: {what} is not translated: {}",
                provider.id,
                text.ja
            );
        }
    });
}

#[test]
fn every_scheme_is_proved_by_a_stage_that_carries_the_credential() {
    use tombolo_catalog::CredentialUse;
    for_each_provider(|provider| {
        for scheme in &provider.auth {
            let proves = |stage: &&tombolo_catalog::Stage| {
                stage.applies_to(&scheme.id)
                    && stage.credentials == CredentialUse::All
                    && stage.capability.is_none()
            };
            assert!(
                provider.test.iter().any(|stage| proves(&stage)),
                "{}: no stage fails when the credential of `{}` is wrong",
                provider.id,
                scheme.id
            );
        }
    });
}

#[test]
fn every_stage_runs_for_some_scheme() {
    for_each_provider(|provider| {
        for stage in &provider.test {
            let runs = provider.auth.iter().any(|scheme| stage.applies_to(&scheme.id));
            assert!(runs, "{}: the stage `{}` runs for no scheme", provider.id, stage.id);
        }
    });
}

#[test]
fn the_headers_of_every_scheme_are_taken_off_what_callers_send() {
    for_each_provider(|provider| {
        for scheme in &provider.auth {
            let Some(header) = scheme.header() else { continue };
            let is_stripped = provider.strip_headers.iter().any(|known| known.eq_ignore_ascii_case(header));
            assert!(
                is_stripped,
                "{}: a caller could set {header} himself: add it to `strip_headers`",
                provider.id
            );
        }
    });
}

/// Patterns come from files that anybody may write, and run on what anybody may type. The engine of the crate `regex`
/// takes linear time by construction, so this only shows that nobody has put another engine in its place: a
/// backtracking one would need longer than the age of the universe.
#[test]
fn no_pattern_can_stall_the_server() {
    let evil = "a".repeat(1000) + "!";
    for_each_provider(|provider| {
        for (name, field) in all_fields(provider).into_iter().flat_map(Fields::iter) {
            // The answer does not matter, only that there is one.
            let _ = field.accept(name, &evil);
        }
        let _ = provider.read_pasted(&evil);
    });
    let common = tombolo_catalog::Common::built_in().expect("the common table loads");
    let acme = include_str!("acme.yaml")
        .replace("'[a-z0-9]+'", "'(?:(?:a|a)*)*'")
        .replace("    example: north\n", "");
    let provider = Provider::parse("acme.yaml", &acme, &common).expect("nested repetition is linear here");
    let field = provider.config.get("subdomain").expect("declared");
    assert_eq!(field.accept("subdomain", &evil).expect_err("refused").code, "pattern");
}

fn for_each_provider(check: impl Fn(&Provider)) {
    let catalog = Catalog::built_in().expect("the built-in files load");
    assert!(catalog.iter().count() > 0);
    catalog.iter().for_each(|provider| check(provider));
}

fn all_fields(provider: &Provider) -> Vec<&Fields> {
    let gates = provider.gates.iter().map(|gate| &gate.fields);
    let schemes = provider.auth.iter().map(|scheme| &scheme.fields);
    std::iter::once(&provider.config).chain(gates).chain(schemes).collect()
}

/// Every text of a provider with a word on where it stands; holes of explanations are left unfilled.
fn texts(provider: &Provider) -> Vec<(String, Text)> {
    let mut texts = vec![("name".to_owned(), provider.name.clone())];
    texts.push(("description".to_owned(), provider.description.clone()));
    let settings = provider.settings.iter().map(|(key, setting)| (key, &setting.field));
    for (name, field) in all_fields(provider).into_iter().flat_map(Fields::iter).chain(settings) {
        let all = std::iter::once(&field.label).chain(&field.help).chain(&field.steps);
        texts.extend(all.map(|text| (format!("field `{name}`"), text.clone())));
    }
    for scheme in &provider.auth {
        let all = std::iter::once(&scheme.name).chain(&scheme.explain);
        texts.extend(all.map(|text| (format!("scheme `{}`", scheme.id), text.clone())));
    }
    for gate in &provider.gates {
        let all = std::iter::once(&gate.name).chain(&gate.explain);
        texts.extend(all.map(|text| (format!("gate {:?}", gate.kind), text.clone())));
    }
    texts.extend(provider.test.iter().map(|stage| (format!("stage `{}`", stage.id), stage.name.clone())));
    for row in &provider.explanations {
        let all = [&row.says, &row.fix].map(|text| text.render(&Scope::default()));
        texts.extend(all.map(|text| (format!("explanation `{}`", row.is), text)));
    }
    texts
}
