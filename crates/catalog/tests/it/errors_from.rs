//! `errors_from`: one vendor's second API fails as its first one does, without saying everything twice.

use tombolo_catalog::{Catalog, Common, Explanation, Observation, Provider};

const ACME: &str = include_str!("acme.yaml");

/// `acme.yaml` under another id, with rows from another provider.
fn acme(id: &str, from: &str) -> String {
    ACME.replace("id: acme\n", &format!("id: {id}\nerrors_from: {from}\n"))
}

fn told(files: &[(&str, &str)]) -> String {
    let faults = Catalog::with_files(files.iter().copied()).expect_err("there is a fault");
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn own_rows_come_first_then_those_of_the_other_provider_then_the_common_ones() {
    let catalog = Catalog::built_in().expect("the built-in files load");
    let user_api = catalog.get("kintone-user-api").expect("it is built in");
    let explain = |stage, scheme, status, code, json| {
        let seen = Observation { stage, scheme, status: Some(status), code, json, ..Observation::default() };
        user_api.explain(&seen).map(|row| row.is.as_str())
    };
    for (seen, expected) in [
        (explain("credential", "token", 401, Some("CB_OA01"), true), "token_expired_or_refused"),
        (explain("credential", "password", 403, Some("CB_NO02"), true), "not_an_administrator"),
        (explain("credential", "password", 404, None, false), "no_such_tenant"),
        (explain("service", "password", 404, None, false), "no_such_tenant"),
        (explain("credential", "password", 401, Some("CB_WA01"), true), "wrong_password"),
        (explain("service", "token", 200, None, true), "not_kintone"),
        (explain("credential", "token", 429, None, true), "too_many_requests"),
    ] {
        assert_eq!(seen, Some(expected));
    }
}

#[test]
fn rows_about_what_a_provider_does_not_have_are_left_out() {
    let catalog = Catalog::built_in().expect("the built-in files load");
    let rows = |id: &str| -> Vec<&Explanation> {
        catalog.get(id).expect("it is built in").explanations.iter().collect()
    };
    let is = |id: &str| -> Vec<&str> { rows(id).into_iter().map(|row| row.is.as_str()).collect() };
    for of_kintone in ["token_refused", "token_of_another_app", "app_not_found", "no_privilege_in_app"] {
        assert!(is("kintone").contains(&of_kintone));
        assert!(!is("kintone-user-api").contains(&of_kintone), "{of_kintone} speaks of apps");
    }
    // A row stays when one of its stages is there.
    let file = acme("second", "acme")
        .replace("- id: shop", "- id: store")
        .replace("at: [shop, orders]", "at: [orders]");
    let catalog =
        Catalog::with_files([("acme.yaml", ACME), ("second.yaml", file.as_str())]).expect("both load");
    let second = catalog.get("second").expect("it was read");
    let refused: Vec<_> = second.explanations.iter().filter(|row| row.is == "refused").collect();
    assert_eq!(refused.len(), 2, "its own one and the other one's");
    assert_eq!(refused[1].at, ["orders"]);
}

#[test]
fn a_file_is_checked_beside_the_built_in_ones() {
    let common = Common::built_in().expect("the common table loads");
    let provider = Provider::parse("second.yaml", &acme("second", "kintone"), &common).expect("it is whole");
    let row = provider.explanations.iter().find(|row| row.is == "wrong_password").expect("one of Kintone's");
    assert!(row.link.is_none(), "it leads to a domain, and this provider has no field of that name");
}

#[test]
fn a_name_that_leads_nowhere_or_round_in_a_circle_is_told() {
    insta::assert_snapshot!(told(&[("second.yaml", &acme("second", "kintnoe"))]), @r"
    second.yaml:2:14: `errors_from` names `kintnoe`, which is no provider
      fix: write `kintone`
    ");
    insta::assert_snapshot!(told(&[("second.yaml", &acme("second", "nothing-near"))]), @r"
    second.yaml:2:14: `errors_from` names `nothing-near`, which is no provider
      fix: use the id of a provider; `tombolo provider list` shows them
    ");
    insta::assert_snapshot!(told(&[("second.yaml", &acme("second", "second"))]), @r"
    second.yaml:2:14: `errors_from` goes round in a circle: `second` from `second`
      fix: remove one of these `errors_from`
    ");
    let circle = [("one.yaml", &*acme("one", "two")), ("two.yaml", &*acme("two", "one"))];
    insta::assert_snapshot!(told(&circle), @r"
    two.yaml:2:14: `errors_from` goes round in a circle: `one` from `two` from `one`
      fix: remove one of these `errors_from`
    one.yaml:2:14: `errors_from` goes round in a circle: `two` from `one` from `two`
      fix: remove one of these `errors_from`
    ");
}
