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

#[tokio::test(flavor = "multi_thread")]
async fn an_account_at_the_vendor_is_linked_again_from_the_dashboard() {
    let app = App::start().await;
    let client = registered(&app, "Client").await;
    let client = client["id"].as_str().expect("an id");
    let mut anna = set_up(&app).await;
    let mut made = Vec::new();
    for (path, inputs) in [
        (NEW.to_owned(), typed("Sales", client)),
        ("/account".to_owned(), vec![("press", "vendor"), ("scheme", "oauth2"), ("s.oauth2.app", "1")]),
    ] {
        let path = made.first().map_or(path.clone(), |known| format!("{known}{path}"));
        let left = press(&mut anna, &path, &inputs).await;
        let (authorization, proof) = agree(&app, &left).await;
        let again = if made.is_empty() { ("", "") } else { ("again", "yes") };
        let finish = [("authorization", authorization.as_str()), ("proof", proof.as_str()), again];
        let to = sent_to(&press(&mut anna, "/connections/linked", &finish).await);
        made.push(to.split_once('?').unwrap_or_else(|| panic!("{to}")).0.to_owned());
    }
    assert_eq!(made[0], made[1], "it stays the connection that it was");
    let form = page(&anna, &format!("{}/account", made[0])).await;
    assert!(form.contains("value=\"demo\"") && !form.contains("name=\"name\""), "{form}");

    // An end user of the embedder's goes on to a page of the embedder's, which says whose account it is.
    let user = json!({ "end_user": { "id": "user-1" } });
    let id = made[0].rsplit('/').next().expect("an id");
    assert_eq!(app.caller().patch(&format!("/connections/{id}"), &user).await.status, StatusCode::OK);
    let urls = json!({ "return_urls": ["https://app.example.com/linked"] });
    assert_eq!(app.caller().patch("/environment", &urls).await.status, StatusCode::OK);
    let link = press(&mut anna, &format!("{}/link", made[0]), &[]).await;
    assert!(link.text().contains("/connect/default/?session_token="), "{}", link.text());
}

/// Makes a link for a connection and hands it to a person, who agrees at the vendor; answers the code that they are shown.
async fn hand_on(app: &App, anna: &mut Browser, connection: &str) -> String {
    let made = press(anna, &format!("{connection}/link"), &[]).await;
    let link = found(&made.text(), r"<code>(http://[^<]*/oauth/start/[^<]*)</code>");
    assert!(made.text().contains("/connections/confirm"), "{}", made.text());
    let mut person = oauth::Browser::of(app);
    let back = person.allow(&json!({ "url": link[0] })).await;
    let code = oauth::code(&person.open(&back).await);
    assert_eq!(code.len(), 9, "{code}");
    code
}

/// Where the form of the only account that waits is sent to.
async fn waiting(anna: &Browser) -> String {
    let shown = page(anna, "/connections/confirm").await;
    let forms = found(&shown, r#"action="/dashboard/default(/connections/confirm/[^"]+)""#);
    assert_eq!(forms.len(), 1, "{shown}");
    forms[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_handed_on_and_its_account_confirmed_with_the_code_that_the_person_tells() {
    let app = App::start().await;
    let client = registered(&app, "Client").await;
    let client = client["id"].as_str().expect("an id");
    let mut anna = set_up(&app).await;
    let left = press(&mut anna, NEW, &typed("Sales", client)).await;
    let (authorization, proof) = agree(&app, &left).await;
    assert!(
        page(&anna, "/connections/confirm").await.contains("Nothing waits"),
        "whoever began it finishes it"
    );
    let finish = [("authorization", authorization.as_str()), ("proof", proof.as_str())];
    let made = sent_to(&press(&mut anna, "/connections/linked", &finish).await);
    let connection = made.split_once('?').unwrap_or_else(|| panic!("{made}")).0.to_owned();

    let code = hand_on(&app, &mut anna, &connection).await;
    let list = page(&anna, "/connections").await;
    assert!(list.contains("One account waits for its confirmation"), "{list}");
    let listed = app.caller().get("/authorizations").await.json();
    assert_eq!(
        (&listed["accounts"][0]["name"], &listed["accounts"][0]["needs_end_user"]),
        (&json!("Sales"), &json!(false)),
        "{listed}"
    );
    let path = waiting(&anna).await;
    for (typed, words) in [("", "not the code"), ("BCDF", "not the code"), ("BCDF-GHJK", "not the code")] {
        let refused = press(&mut anna, &path, &[("press", "confirm"), ("code", typed)]).await;
        assert_eq!(
            refused.status.is_client_error(),
            refused.text().contains(words),
            "{typed} {}",
            refused.text()
        );
        assert!(refused.text().contains(&path), "it still waits: {}", refused.text());
    }
    let confirmed = press(&mut anna, &path, &[("press", "confirm"), ("code", &code), ("again", "yes")]).await;
    assert_eq!(sent_to(&confirmed), format!("{connection}?done=linked-again"));
    let late = press(&mut anna, &path, &[("press", "confirm"), ("code", &code)]).await;
    assert!(late.text().contains("nothing to confirm any more"), "{}", late.text());

    // Whom nobody knows is refused.
    hand_on(&app, &mut anna, &connection).await;
    let path = waiting(&anna).await;
    assert_eq!(
        sent_to(&press(&mut anna, &path, &[("press", "refuse")]).await),
        "/connections/confirm?done=refused"
    );
    assert!(page(&anna, "/connections/confirm").await.contains("Nothing waits"));

    // The account of an end user is confirmed by the id of that user, and by no other.
    let id = connection.rsplit('/').next().expect("an id");
    let user = json!({ "end_user": { "id": "user-1" } });
    assert_eq!(app.caller().patch(&format!("/connections/{id}"), &user).await.status, StatusCode::OK);
    for (user, words) in [("", "ID of the user as well"), ("user-2", "made for another user"), ("user-1", "")]
    {
        let code = hand_on(&app, &mut anna, &connection).await;
        let path = waiting(&anna).await;
        let told = [("press", "confirm"), ("code", code.as_str()), ("end_user", user), ("again", "yes")];
        let answer = press(&mut anna, &path, &told).await;
        if words.is_empty() {
            assert_eq!(sent_to(&answer), format!("{connection}?done=linked-again"));
        } else {
            assert!(answer.status.is_client_error() && answer.text().contains(words), "{}", answer.text());
            press(&mut anna, &path, &[("press", "refuse")]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_changed_without_seeing_its_secret() {
    let app = App::start().await;
    let made = app.connect("Sales").await;
    let path = format!("/connections/{}/account", made["id"].as_str().expect("an id"));
    let mut anna = set_up(&app).await;
    let form = page(&anna, &path).await;
    assert!(form.contains("value=\"demo\"") && !form.contains(TOKEN), "{form}");

    let inputs = |subdomain, token, more| {
        let all = [
            ("scheme", "api_token"),
            ("c.domain", "kintone.com"),
            ("c.subdomain", subdomain),
            ("s.api_token.app", "1"),
            ("s.api_token.token", token),
        ];
        [all.to_vec(), more].concat()
    };
    let wrong = "0".repeat(40);
    for (subdomain, token, more, expected) in [
        ("demo", TOKEN, vec![("press", "test")], "conclusion good"),
        ("demo", wrong.as_str(), vec![("press", "create")], "conclusion bad"),
        ("demo", "", vec![("press", "create")], "aria-invalid=\"true\""),
        ("sample", TOKEN, vec![("press", "create")], "name=\"other_account\" value=\"yes\""),
        ("sample", TOKEN, vec![("press", "create"), ("other_account", "yes")], "conclusion bad"),
    ] {
        let answer = press(&mut anna, &path, &inputs(subdomain, token, more)).await;
        assert!(answer.text().contains(expected), "{expected}: {}", answer.text());
    }
    let stored = app.caller().get("/connections/Sales").await.json();
    assert_eq!(stored["updated_at"], made["updated_at"], "nothing has changed so far: {stored}");

    let saved = press(&mut anna, &path, &inputs("demo", TOKEN, vec![("press", "create")])).await;
    assert!(sent_to(&saved).ends_with("?done=linked-again"), "{}", saved.text());
    let pasted = [("pasted", "https://sample.cybozu.com/k/12/")];
    let read = press(&mut anna, &format!("{path}/paste"), &pasted).await.json();
    assert_eq!(read["subdomain"], "sample");
    let asked = [("c.subdomain", "demo"), ("c.domain", "kintone.com"), ("s.api_token.app", "7")];
    let places = press(&mut anna, &format!("{path}/places"), &asked).await.text();
    assert!(places.contains("/k/admin/app/apitoken?app=7"), "{places}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_decide_nothing_about_where_requests_go_need_no_secret() {
    let app = App::start().await;
    let made = app.connect("Sales").await;
    let id = made["id"].as_str().expect("an id");
    let path = format!("/connections/{id}");
    let mut anna = set_up(&app).await;
    let typed = |size| [("name", "Sales"), ("settings", "shown"), ("settings.page_size", size)];
    let refused = press(&mut anna, &path, &typed("9000")).await;
    let told = main_of(&refused);
    assert!(told.contains("value=\"9000\"") && told.contains("aria-invalid=\"true\""), "{told}");
    // The second time from a page that has no inputs for settings.
    for sent in [&typed("50")[..], &[("name", "Sales")]] {
        let saved = press(&mut anna, &path, sent).await;
        assert!(sent_to(&saved).ends_with("?done=saved"), "{}", saved.text());
    }
    let stored = app.caller().get(&format!("/connections/{id}")).await.json();
    assert_eq!(stored["settings"]["page_size"], "50", "{stored}");
    assert!(page(&anna, &path).await.contains("value=\"50\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_says_how_the_vendors_own_clients_call_it_and_who_does() {
    let app = App::start().await;
    let made = app.connect("Sales").await;
    let anna = set_up(&app).await;
    let path = format!("/connections/{}", made["id"].as_str().expect("an id"));
    let unused = page(&anna, &path).await;
    assert!(unused.contains("@kintone/rest-api-client") && !unused.contains("Where it is used"), "{unused}");
    let id = made["connection_id"].as_str().expect("an id");
    let url = format!("/c/kintone/{id}&#39;");
    assert_eq!(unused.matches(&url).count(), 2, "both clients are led to the drop-in URL: {unused}");
    assert!(unused.contains("--app 1<"), "{unused}");

    make_calls_of(&app, id, 3).await;
    let used = page(&anna, &path).await;
    assert!(used.contains("Where it is used"), "{used}");
    assert_eq!(found(&used, r#"<th scope="row">(\w+)</th><td class="number">3</td>"#), ["test"], "{used}");
}

async fn make_calls_of(app: &App, connection: &str, count: usize) {
    for _ in 0..count {
        let headers = [("connection-id", connection)];
        app.caller().send(Method::GET, "/proxy/k/v1/app.json?id=1", &headers, "".into()).await;
    }
    app.platform.flush_activity().await;
}
