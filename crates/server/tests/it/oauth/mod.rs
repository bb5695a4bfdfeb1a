//! A person links an account at the vendor: the whole way over HTTP, as a browser goes it, and what attackers try.

mod attacks;
mod clients;
mod confirmation;
mod flow;
mod mix_up;
mod pages;
mod return_urls;

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, App, Caller, PASSWORD};

/// An OAuth client that is registered with the emulated vendor. Answers it as the API shows it.
pub async fn registered(app: &App, name: &str) -> Value {
    let caller = app.caller();
    let wanted = json!({ "name": name, "provider": "kintone", "config": { "subdomain": "demo" } });
    let made = caller.post("/oauth-clients", &wanted).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let redirect_uri = made.json()["redirect_uri"].as_str().expect("a redirect URI").to_owned();
    let vendor = app.vendor().add_oauth_client("demo", &[&redirect_uri]).expect("the tenant is there");
    let id_and_secret = json!({ "client_id": vendor.id, "client_secret": vendor.secret });
    let changed = caller.patch(&format!("/oauth-clients/{name}"), &id_and_secret).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    changed.json()
}

/// A link for a person, made by the caller of the default environment.
pub async fn link(app: &App, name: &str, client: &str) -> Value {
    let wanted = json!({
        "integration": "kintone", "name": name, "oauth_client": client, "fields": { "app": "1" },
    });
    let made = app.caller().post("/authorizations", &wanted).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()
}

/// How the authorization of a link does.
pub async fn state(app: &App, link: &Value) -> Value {
    app.caller().get(&format!("/authorizations/{}", link["id"].as_str().expect("an id"))).await.json()
}

/// Confirms the authorization of a link with what the browser that finished was given.
pub async fn confirm(caller: &Caller, link: &Value, proof: &str) -> Answer {
    confirm_for(caller, link["id"].as_str().expect("an id"), &json!({ "proof": proof })).await
}

/// Confirms an authorization.
pub async fn confirm_for(caller: &Caller, id: &str, body: &Value) -> Answer {
    caller.post(&format!("/authorizations/{id}/confirm"), body).await
}

/// The code that a page shows; empty when it shows none.
pub fn code(page: &Answer) -> String {
    let text = page.text();
    let shown = text.split_once("<strong class=\"told\">").and_then(|(_, rest)| rest.split_once("</strong>"));
    shown.map(|(code, _)| code.to_owned()).unwrap_or_default()
}

/// An attribute that a page carries for its script; empty when it carries none.
pub fn attribute(page: &Answer, name: &str) -> String {
    let text = page.text();
    let found = text.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
    found.map(|(value, _)| value.to_owned()).unwrap_or_default()
}

/// The parameters of a URL; none of ours needs decoding.
pub fn parameters_of(url: &str) -> BTreeMap<String, String> {
    let (_, query) = url.split_once('?').expect("a query");
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Nothing was linked, and the vendor was asked for this many tokens.
pub async fn nothing_linked(app: &App, token_requests: usize) {
    assert_eq!(app.caller().get("/connections").await.json()["connections"], json!([]));
    assert_eq!(app.vendor().count_token_requests("demo"), token_requests);
}

/// A person's browser, with its own cookies.
pub struct Browser {
    ours: Caller,
    vendor: Caller,
    language: &'static str,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn of(app: &App) -> Self {
        Self {
            ours: app.caller_with_key(None),
            vendor: app.at_the_vendor(),
            language: "en",
            cookies: BTreeMap::new(),
        }
    }

    pub fn in_japanese(self) -> Self {
        Self { language: "ja", ..self }
    }

    /// Opens one of our pages, with its cookies, and keeps those that it is given.
    pub async fn open(&mut self, url: &str) -> Answer {
        self.send(Method::GET, url).await
    }

    /// Presses the button of one of our pages.
    pub async fn press(&mut self, url: &str) -> Answer {
        self.send(Method::POST, url).await
    }

    async fn send(&mut self, method: Method, url: &str) -> Answer {
        let path = url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).expect("an absolute URL");
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers = [("cookie", cookies.as_str()), ("accept-language", self.language)];
        let answer = self.ours.send(method, &path, &headers, "".into()).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().expect("text");
            let (name, rest) = text.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Opens a link, and answers the address of the vendor's page that it leads to.
    pub async fn begin(&mut self, link: &Value) -> String {
        let url = link["url"].as_str().expect("a URL");
        let question = self.open(url).await;
        assert!(
            question.text().contains("<form method=\"post\"><button class=\"primary\">"),
            "{}",
            question.text()
        );
        let answer = self.press(url).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        answer.header("location").to_owned()
    }

    /// Decides on the vendor's page, and answers the address that the vendor sends the browser back to.
    pub async fn decide(&self, page: &str, decision: &str) -> String {
        let path = page.strip_prefix("https://demo.kintone.com").expect("the vendor's page");
        let form = json!({ "login_name": "anna", "password": PASSWORD, "decision": decision });
        let form = tombolo_api::client::query("", &form).expect("encodes").replacen('?', "", 1);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.vendor.send(Method::POST, &format!("/t/demo{path}"), &headers, form.into()).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
        answer.header("location").to_owned()
    }

    /// Goes all the way until the vendor sends it back.
    pub async fn allow(&mut self, link: &Value) -> String {
        let page = self.begin(link).await;
        self.decide(&page, "allow").await
    }
}

/// A URL with another value of a parameter.
pub fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let (before, query) = url.split_once('?').expect("a query");
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((known, _)) if known == name => format!("{name}={value}"),
        _ => pair.to_owned(),
    });
    format!("{before}?{}", pairs.collect::<Vec<_>>().join("&"))
}
