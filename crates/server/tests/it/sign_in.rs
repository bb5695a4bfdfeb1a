//! People at the pages: the first administrator, signing in and out, and what other sites cannot do in their name.

use http::{Method, StatusCode};
use regex::Regex;
use serde_json::json;

use crate::app::{Answer, App, Caller};

/// Markers: secrets that occur nowhere else.
const PASSWORD: &str = "canary password of Anna";
const OTHER_PASSWORD: &str = "another canary password";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A browser: it keeps cookies, and says whose page sends what.
pub struct Browser {
    caller: Caller,
    cookies: String,
}

impl Browser {
    fn new(app: &App) -> Self {
        Self { caller: app.caller_with_key(None), cookies: String::new() }
    }

    pub async fn open(&self, path: &str) -> Answer {
        let headers = [("cookie", self.cookies.as_str()), ("accept-language", "en")];
        self.caller.send(Method::GET, path, &headers, "".into()).await
    }

    /// Sends a form of our own page.
    async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form(fields);
        let headers = [("cookie", self.cookies.as_str()), FORM, ("sec-fetch-site", "same-origin")];
        let answer = self.caller.send(Method::POST, path, &headers, body.into()).await;
        self.take_cookies(&answer);
        answer
    }

    /// Sends a form with what proves that the page was made for this browser.
    async fn send_from(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token(page).await;
        let fields: Vec<_> = fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        self.send(path, &fields).await
    }

    /// Sends a form as its parts, with what proves that a page was made for this browser.
    pub async fn send_parts(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token(page).await;
        let fields: Vec<_> = fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        let answer = self.post_parts(path, "same-origin", &fields).await;
        self.take_cookies(&answer);
        answer
    }

    /// Sends the parts of a form from a page of some site (RFC 7578).
    pub async fn post_parts(&self, path: &str, site: &str, fields: &[(&str, &str)]) -> Answer {
        let part = |(name, value): &(&str, &str)| {
            format!("--parts\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let body = fields.iter().map(part).collect::<String>() + "--parts--\r\n";
        let headers = [
            ("cookie", self.cookies.as_str()),
            ("content-type", "multipart/form-data; boundary=parts"),
            ("sec-fetch-site", site),
            ("accept-language", "en"),
        ];
        self.caller.send(Method::POST, path, &headers, body.into()).await
    }

    pub async fn form_token(&self, page: &str) -> String {
        let text = self.open(page).await.text();
        let token = Regex::new(r#"name="form_token" value="([^"]+)""#).expect("a pattern");
        token.captures(&text).unwrap_or_else(|| panic!("{page} has no form: {text}"))[1].to_owned()
    }

    fn take_cookies(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let pair = cookie.to_str().expect("text").split(';').next().expect("a pair").to_owned();
            let name = pair.split('=').next().expect("a name");
            let kept = self.cookies.split("; ").filter(|known| !known.starts_with(&format!("{name}=")));
            let all: Vec<&str> = kept.chain([pair.as_str()]).filter(|pair| !pair.is_empty()).collect();
            self.cookies = all.join("; ");
        }
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

pub fn location(answer: &Answer) -> String {
    format!("{} {}", answer.status.as_u16(), answer.header("location"))
}

/// The first administrator in their browser.
pub async fn set_up(app: &App) -> Browser {
    let token = app.platform.new_set_up_token().await.expect("made").expect("nobody is there yet");
    let mut browser = Browser::new(app);
    let token = secrecy::ExposeSecret::expose_secret(&token).to_owned();
    let fields = [("token", token.as_str()), ("login", "anna"), ("password", PASSWORD)];
    let answer = browser.send("/setup", &fields).await;
    assert_eq!(location(&answer), "303 /dashboard", "{}", answer.text());
    browser
}

/// Somebody who was invited on the page, in a browser of their own.
pub async fn invited(app: &App, admin: &mut Browser, login: &str, role: &str) -> Browser {
    let fields = [("login", login), ("role", role)];
    let answer = admin.send_from("/dashboard/users", "/dashboard/users", &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let link = Regex::new(r#"value="[^"]*/invitation#([^"]+)""#).expect("a pattern");
    let secret = link.captures(&answer.text()).expect("a link")[1].to_owned();
    let mut browser = Browser::new(app);
    let fields = [("token", secret.as_str()), ("password", PASSWORD), ("display_name", "")];
    assert_eq!(location(&browser.send("/invitation", &fields).await), "303 /dashboard");
    assert_eq!(browser.send("/invitation", &fields).await.status, 404, "a link is good once");
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_is_made_with_the_printed_token() {
    let app = App::start().await;
    let mut browser = Browser::new(&app);
    assert_eq!(location(&browser.open("/profile").await), "303 /sign-in?return=%2Fprofile");
    assert_eq!(location(&browser.open("/sign-in").await), "303 /setup");
    let page = browser.open("/setup").await;
    assert_eq!((page.status, page.header("x-frame-options")), (StatusCode::OK, "DENY"));
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));

    let token = app.platform.new_set_up_token().await.expect("made").expect("nobody is there yet");
    let token = secrecy::ExposeSecret::expose_secret(&token).to_owned();
    for (token, login, password, status, told) in [
        ("guess", "anna", PASSWORD, 403, "not the set-up token"),
        (token.as_str(), "anna", "short", 400, "at least 12 characters"),
        (token.as_str(), "", PASSWORD, 400, "Type a name or a mail address"),
    ] {
        let fields = [("token", token), ("login", login), ("password", password)];
        let answer = browser.send("/setup", &fields).await;
        let text = answer.text();
        assert_eq!(answer.status.as_u16(), status, "{text}");
        assert!(text.contains(told) && !text.contains(password), "{text}");
    }
    let mut browser = set_up(&app).await;
    let page = browser.open("/profile").await;
    assert!(page.status == StatusCode::OK && page.text().contains("anna"), "{}", page.text());
    assert_eq!(location(&browser.open("/setup").await), "303 /sign-in");
    assert_eq!(location(&browser.open("/sign-in").await), "303 /dashboard");
    let again = browser.send("/setup", &[("token", &token), ("login", "eve"), ("password", PASSWORD)]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_goes_on_to_where_they_wanted() {
    let app = App::start().await;
    set_up(&app).await;
    let mut browser = Browser::new(&app);
    let enter = |password: &'static str, back: &'static str| {
        [("login", "ANNA"), ("password", password), ("return", back)]
    };
    let refused = browser.send("/sign-in", &enter(OTHER_PASSWORD, "/dashboard/users")).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let text = refused.text();
    assert!(text.contains("is not right") && text.contains(r#"value="/dashboard/users""#), "{text}");
    assert!(!text.contains(OTHER_PASSWORD) && browser.cookies.is_empty());

    let there = browser.send("/sign-in", &enter(PASSWORD, "/dashboard/users")).await;
    assert_eq!(location(&there), "303 /dashboard/users");
    let port = app.url().rsplit_once(':').expect("a port").1.to_owned();
    let cookie = there.header("set-cookie");
    let attributes = "; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000";
    assert!(
        cookie.starts_with(&format!("tombolo_sign_in_{port}=")) && cookie.ends_with(attributes),
        "{cookie}"
    );
    assert_eq!(browser.open("/dashboard/users").await.status, StatusCode::OK);
    let elsewhere = Browser::new(&app).send("/sign-in", &enter(PASSWORD, "//evil.example/")).await;
    assert_eq!(location(&elsewhere), "303 /dashboard");

    let kept = browser.cookies.clone();
    assert_eq!(location(&browser.send_from("/profile", "/sign-out", &[]).await), "303 /sign-in");
    browser.cookies = kept;
    assert_eq!(
        browser.open("/profile").await.status,
        StatusCode::SEE_OTHER,
        "the cookie is worth nothing now"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_cookie_is_kept_from_everybody_else() {
    let app = App::start_reached_as(Some("https://tombolo.example.com")).await;
    let browser = set_up(&app).await;
    assert!(browser.cookies.starts_with("__Host-tombolo_sign_in="), "{}", browser.cookies);
    assert_eq!(browser.open("/profile").await.status, StatusCode::OK);
    let without_prefix = browser.cookies.replace("__Host-", "");
    let other = Browser { cookies: without_prefix, ..Browser::new(&app) };
    assert_eq!(other.open("/profile").await.status, StatusCode::SEE_OTHER);
}

/// Everything that a page of another site could have a browser send, and whatever is not exactly our own form.
#[tokio::test(flavor = "multi_thread")]
async fn other_sites_do_nothing_in_the_name_of_whoever_is_signed_in() {
    let app = App::start().await;
    let mut admin = set_up(&app).await;
    invited(&app, &mut admin, "ben", "member").await;
    let token = admin.form_token("/dashboard/users").await;
    let mut eve = Browser::new(&app);
    let other_token = {
        eve.send("/sign-in", &[("login", "ben"), ("password", PASSWORD)]).await;
        eve.form_token("/profile").await
    };
    let own = app.url();
    let paths = [
        "/profile",
        "/profile/password",
        "/profile/sign-ins/x/end",
        "/sign-out",
        "/dashboard/environment",
        "/dashboard/users",
        "/dashboard/users/ben/role",
        "/dashboard/users/ben/state",
        "/dashboard/users/ben/password-link",
        "/dashboard/provider-requests/x",
    ];
    let fields =
        |token: &str| form(&[("role", "admin"), ("enabled", "no"), ("login", "eve"), ("form_token", token)]);
    let senders: [&[(&str, &str)]; 7] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", &own)],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost:1")],
    ];
    let before = app.operator().get("/users").await.json();
    let mut sent = 0;
    for path in paths {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            // The right token, from other sites; and our own site with a wrong one, or in another form.
            let json = json!({ "form_token": token, "role": "admin" }).to_string();
            let mut tries: Vec<(Vec<(&str, &str)>, String)> =
                senders.iter().map(|sender| (sender.to_vec(), fields(&token))).collect();
            for body in [fields(""), fields("guess"), fields(&other_token), String::new()] {
                tries.push((vec![("sec-fetch-site", "same-origin")], body.clone()));
                tries.push((vec![("origin", &own)], body.clone()));
                tries.push((vec![], body));
            }
            for (headers, body) in tries {
                for kind in [FORM.1, "text/plain", "application/json"] {
                    let body = if kind == "application/json" { json.clone() } else { body.clone() };
                    let headers: Vec<_> = headers
                        .iter()
                        .copied()
                        .chain([("cookie", admin.cookies.as_str()), ("content-type", kind)])
                        .collect();
                    let answer = admin.caller.send(method.clone(), path, &headers, body.into()).await;
                    assert!(
                        answer.status.is_client_error(),
                        "{method} {path} {headers:?}: {}",
                        answer.status
                    );
                    sent += 1;
                }
            }
        }
    }
    assert!(sent > 1000, "{sent}");
    assert_eq!(app.operator().get("/users").await.json(), before);
    assert_eq!(admin.open("/profile").await.status, StatusCode::OK, "nobody was signed out");
    // Nor does another site sign anybody in.
    for path in ["/sign-in", "/setup", "/invitation"] {
        let headers = [FORM, ("sec-fetch-site", "cross-site")];
        let body = form(&[("login", "anna"), ("password", PASSWORD)]);
        let answer = admin.caller.send(Method::POST, path, &headers, body.into()).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::FORBIDDEN, ""), "{path}");
    }
    // A script of our own says the same in a header.
    let headers = [
        ("cookie", admin.cookies.as_str()),
        ("sec-fetch-site", "same-origin"),
        ("tombolo-form-token", token.as_str()),
        FORM,
    ];
    let answer =
        admin.caller.send(Method::POST, "/profile", &headers, form(&[("display_name", "Anna")]).into());
    assert_eq!(location(&answer.await), "303 /profile");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_open_no_pages_and_cookies_no_api() {
    let app = App::start().await;
    let browser = set_up(&app).await;
    let key = app.key_with_scopes(&["environment:*", "installation:*"]).await;
    let authorization = format!("Bearer {key}");
    let page = app.caller_with_key(None);
    for headers in [
        vec![("authorization", authorization.as_str())],
        vec![("cookie", "tombolo_sign_in=x")],
        vec![("authorization", authorization.as_str()), ("cookie", authorization.as_str())],
    ] {
        let answer = page.send(Method::GET, "/profile", &headers, "".into()).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{headers:?}");
    }
    for path in ["/connections", "/users", "/api-keys", "/audit", "/environment", "/keys"] {
        assert_eq!(browser.open(path).await.verdict(), "401 unknown_account", "{path}");
    }
    let headers = [("cookie", browser.cookies.as_str()), ("sec-fetch-mode", "cors")];
    assert_eq!(page.send(Method::GET, "/profile", &headers, "".into()).await.status, StatusCode::OK);
    let script = [("sec-fetch-mode", "cors")];
    let answer = page.send(Method::GET, "/profile", &script, "".into()).await;
    assert_eq!(answer.verdict(), "401 signed_out", "a script is told instead of sent elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_what_the_role_allows() {
    let app = App::start().await;
    let mut admin = set_up(&app).await;
    let mut ben = invited(&app, &mut admin, "ben", "member").await;
    let refused = ben.open("/dashboard/users").await;
    assert!(refused.status == StatusCode::FORBIDDEN && refused.text().contains("Your role does not allow"));
    let invite = [("login", "eve"), ("role", "admin")];
    assert_eq!(ben.send_from("/profile", "/dashboard/users", &invite).await.status, StatusCode::FORBIDDEN);
    let own = app.operator().get("/users").await.json();
    let ben_id = own["users"][1]["id"].as_str().expect("an id").to_owned();
    let promote = format!("/dashboard/users/{ben_id}/role");
    assert_eq!(ben.send_from("/profile", &promote, &[("role", "admin")]).await.status, StatusCode::FORBIDDEN);

    let promoted = admin.send_from("/dashboard/users", &promote, &[("role", "admin")]).await;
    assert_eq!(location(&promoted), "303 /dashboard/users");
    assert_eq!(ben.open("/profile").await.status, StatusCode::SEE_OTHER, "another role ends a sign-in");
    ben.send("/sign-in", &[("login", "ben"), ("password", PASSWORD)]).await;
    assert_eq!(ben.open("/dashboard/users").await.status, StatusCode::OK);

    let state = format!("/dashboard/users/{ben_id}/state");
    admin.send_from("/dashboard/users", &state, &[("enabled", "no")]).await;
    assert_eq!(ben.open("/profile").await.status, StatusCode::SEE_OTHER, "shut out at once");
    let own = app.operator().get("/users").await.json();
    let anna = own["users"][0]["id"].as_str().expect("an id");
    let last = format!("/dashboard/users/{anna}/role");
    let last = admin.send_from("/dashboard/users", &last, &[("role", "viewer")]).await;
    assert_eq!(last.status, StatusCode::CONFLICT, "somebody who can administer is always left");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_change_their_password_and_end_other_browsers() {
    let app = App::start().await;
    let mut one = set_up(&app).await;
    let mut two = Browser::new(&app);
    two.send("/sign-in", &[("login", "anna"), ("password", PASSWORD)]).await;
    let ended = Regex::new(r"/profile/sign-ins/(sin_[0-9a-f]+)/end").expect("a pattern");
    let page = one.open("/profile").await.text();
    let others: Vec<_> = ended.captures_iter(&page).map(|found| found[0].to_owned()).collect();
    assert_eq!(others.len(), 1, "this browser has no button of that kind");
    assert_eq!(location(&one.send_from("/profile", &others[0], &[]).await), "303 /profile");
    assert_eq!(two.open("/profile").await.status, StatusCode::SEE_OTHER);

    two.send("/sign-in", &[("login", "anna"), ("password", PASSWORD)]).await;
    let change = |current| [("current_password", current), ("password", OTHER_PASSWORD)];
    let wrong = one.send_from("/profile", "/profile/password", &change(OTHER_PASSWORD)).await;
    assert!(wrong.status == StatusCode::BAD_REQUEST && wrong.text().contains("not your password"));
    assert_eq!(
        location(&one.send_from("/profile", "/profile/password", &change(PASSWORD)).await),
        "303 /profile"
    );
    assert_eq!(one.open("/profile").await.status, StatusCode::OK, "this browser stays signed in");
    assert_eq!(two.open("/profile").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_lead_to_the_public_url_whatever_a_request_says() {
    let app = App::start_reached_as(Some("https://tombolo.example.com")).await;
    let mut admin = set_up(&app).await;
    let token = admin.form_token("/dashboard/users").await;
    for (number, header) in
        ["host", "origin", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-original-url"]
            .into_iter()
            .enumerate()
    {
        let evil = if header == "origin" { "https://tombolo.example.com" } else { "evil.example" };
        let login = format!("user{number}");
        let body = form(&[("login", login.as_str()), ("role", "viewer"), ("form_token", token.as_str())]);
        let headers = [("cookie", admin.cookies.as_str()), FORM, (header, evil)];
        let answer = admin.caller.send(Method::POST, "/dashboard/users", &headers, body.into()).await;
        let text = answer.text();
        assert!(text.contains(r#"value="https://tombolo.example.com/invitation#"#), "{header}: {text}");
        assert!(!text.contains("evil"), "{header}: {text}");
    }
    admin.cookies.clear();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_acts_in_the_environment_that_they_chose() {
    let app = App::start().await;
    let mut admin = set_up(&app).await;
    app.other_environment().await;
    let is_chosen = |text: &str, name: &str| text.contains(&format!(r#"<option value="{name}" selected>"#));
    assert!(is_chosen(&admin.open("/profile").await.text(), "default"));
    let chosen = [("environment", "other"), ("return", "/profile")];
    let answer = admin.send_from("/profile", "/dashboard/environment", &chosen).await;
    assert_eq!(location(&answer), "303 /profile");
    assert!(is_chosen(&admin.open("/profile").await.text(), "other"));
    let unknown = admin.send_from("/profile", "/dashboard/environment", &[("environment", "nothing")]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_administered_over_the_api() {
    let app = App::start().await;
    set_up(&app).await;
    let manager = app.caller_with_scopes(&["environment:*", "installation:*"]).await;
    let invitation = json!({ "login": "ben@example.com", "display_name": "Ben", "role": "member" });
    let made = manager.post("/users", &invitation).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
    let link = made.json()["link"].as_str().expect("a link").to_owned();
    assert!(link.starts_with(&format!("{}/invitation#", app.url())), "{link}");
    assert!(!manager.get("/users").await.text().contains("invitation"));
    let cases = [
        (Method::POST, "/users", invitation.clone(), "409 unique_key_taken"),
        (Method::POST, "/users", json!({ "login": "a b", "role": "member" }), "400 invalid_body"),
        (Method::POST, "/users", json!({ "login": "a", "role": "owner" }), "400 invalid_body"),
        // It takes all rights of an administrator to make one, and reading secrets is among them.
        (Method::POST, "/users", json!({ "login": "a", "role": "admin" }), "403 forbidden"),
        (Method::PATCH, "/users/anna", json!({ "role": "member" }), "403 forbidden"),
        (Method::PATCH, "/users/nobody", json!({ "role": "member" }), "404 unknown_user"),
        (Method::PATCH, "/users/ben@example.com", json!({}), "400 nothing_to_change"),
        (Method::PATCH, "/users/ben@example.com", json!({ "role": "viewer" }), "200"),
        (Method::PATCH, "/users/ben@example.com", json!({ "enabled": false }), "200"),
        (Method::POST, "/users/ben@example.com/password-link", json!({}), "201"),
    ];
    for (method, path, body, verdict) in cases {
        assert_eq!(manager.send_json(method, path, &body).await.verdict(), verdict, "{path} {body}");
    }
    let states: Vec<_> = manager.get("/users").await.json()["users"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|user| format!("{} {} {}", user["login"], user["role"], user["state"]).replace('"', ""))
        .collect();
    assert_eq!(states, ["anna admin active", "ben@example.com viewer disabled"]);
    assert_eq!(app.caller().get("/users").await.verdict(), "403 forbidden");
    assert_eq!(
        app.operator().post("/users", &json!({ "login": "a", "role": "admin" })).await.verdict(),
        "201"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_are_asked_for_over_the_api() {
    let app = App::start().await;
    let (caller, asker) =
        (app.caller(), app.caller_with_scopes(&["environment:provider_requests:create"]).await);
    let ask = json!({ "provider": "kintone", "reason": "sales" });
    let made = asker.post("/provider-requests", &ask).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!(asker.post("/provider-requests", &ask).await.verdict(), "409 unique_key_taken");
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let path = format!("/provider-requests/{id}");
    assert_eq!(asker.patch(&path, &json!({ "grant": true })).await.verdict(), "403 forbidden");
    let granted = caller.patch(&path, &json!({ "grant": true, "answer": "Have fun" })).await.json();
    assert_eq!((&granted["state"], &granted["answer"]), (&json!("granted"), &json!("Have fun")));
    assert_eq!(caller.get("/integrations/kintone").await.status, StatusCode::OK);
    assert_eq!(caller.patch(&path, &json!({ "grant": false })).await.verdict(), "409 version_conflict");
    assert_eq!(asker.get("/provider-requests").await.json()["requests"][0]["id"], json!(id));
    assert_eq!(asker.post("/provider-requests", &ask).await.verdict(), "400 provider_enabled");
}
