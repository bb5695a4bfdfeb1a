//! Accounts that an administrator links at the vendor, from the dashboard and back to it.

use super::*;
use crate::oauth::{self, nothing_linked, parameters_of, registered};

const NEW: &str = "/connections/new/kintone";

fn typed<'a>(name: &'a str, client: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("press", "vendor"),
        ("name", name),
        ("scheme", "oauth2"),
        ("c.domain", "kintone.com"),
        ("c.subdomain", "demo"),
        ("s.oauth2.app", "1"),
        ("oauth_client.oauth2", client),
    ]
}

/// Goes to the vendor and agrees there; answers with what the browser comes back to the dashboard.
async fn agree(app: &App, left: &Answer) -> (String, String) {
    let url = left.header("location").to_owned();
    assert!(url.contains("/oauth/start/"), "{url} {}", left.text());
    let mut browser = oauth::Browser::of(app);
    let back = browser.allow(&json!({ "url": url })).await;
    let came = browser.open(&back).await;
    let to = came.header("location").to_owned();
    assert!(to.contains("/dashboard/default/connections/linked?"), "{to}");
    let parameters = parameters_of(&to);
    (parameters["authorization"].clone(), parameters["proof"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_at_the_vendor_is_linked_from_the_dashboard_by_whoever_began_it() {
    let app = App::start().await;
    let client = registered(&app, "Client").await;
    let client = client["id"].as_str().expect("an id");
    let mut anna = set_up(&app).await;
    let mut ben = invited(&app, &mut anna, "ben", "admin").await;
    let form = page(&anna, NEW).await;
    assert!(form.contains(&format!("<option value=\"{client}\"")), "{form}");

    // Somebody else of the installation has followed the way, with an account of their own.
    let left = press(&mut anna, NEW, &typed("Sales", client)).await;
    let (authorization, proof) = agree(&app, &left).await;
    let finish = [("authorization", authorization.as_str()), ("proof", proof.as_str())];
    let refused = press(&mut ben, "/connections/linked", &finish).await;
    assert!(refused.status.is_client_error(), "{}", refused.text());
    assert!(refused.text().contains("signed in to the application as somebody else"), "{}", refused.text());
    nothing_linked(&app, 0).await;
    let again = press(&mut anna, "/connections/linked", &finish).await;
    assert!(again.text().contains("notice bad"), "it has ended: {}", again.text());
    nothing_linked(&app, 0).await;

    let left = press(&mut anna, NEW, &typed("Sales", client)).await;
    let (authorization, proof) = agree(&app, &left).await;
    let finish = [("authorization", authorization.as_str()), ("proof", proof.as_str())];
    let shown =
        page(&anna, &format!("/connections/linked?authorization={authorization}&proof={proof}")).await;
    assert!(shown.contains(&format!("value=\"{proof}\"")), "looking changes nothing: {shown}");
    nothing_linked(&app, 0).await;
    let made = sent_to(&press(&mut anna, "/connections/linked", &finish).await);
    let (path, _) = made.split_once('?').unwrap_or_else(|| panic!("{made}"));
    assert!(page(&anna, path).await.contains("Sales"));
    let linked = app.caller().get("/connections").await.json();
    assert_eq!(linked["connections"].as_array().map(Vec::len), Some(1), "{linked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_way_to_the_vendor_is_said_on_the_form() {
    let app = App::start().await;
    registered(&app, "Client").await;
    let mut anna = set_up(&app).await;
    for (inputs, expected) in [
        (typed("Sales", "oac_00000000000000000000000000000000"), "cannot be chosen here, or it is gone"),
        (typed("", ""), "Connection name"),
        ([typed("Sales", ""), vec![("s.oauth2.app", "one")]].concat(), "aria-invalid=\"true\""),
    ] {
        let inputs: Vec<_> = inputs.into_iter().rev().collect();
        let again = press(&mut anna, NEW, &inputs).await;
        assert_eq!(again.status, StatusCode::OK, "{expected}: {}", again.text());
        assert!(again.text().contains(expected), "{expected}: {}", again.text());
    }
    for (code, words) in
        [("authorization_denied", "Access was not allowed"), ("%3Cscript%3E", "did not give us access")]
    {
        let told = page(&anna, &format!("/connections/linked?error={code}")).await;
        assert!(told.contains(words) && !told.contains("<script>"), "{told}");
    }
}
