//! The User API.

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use tombolo_kintone_emulator::Seed;

use crate::client::{get, request, send, service};

/// The tokens of the User API in the built-in seed: read, read and write, expired.
fn tokens() -> [String; 3] {
    let seed = Seed::demo();
    let tokens: Vec<String> =
        seed.tenants[0].user_api_tokens.iter().map(|known| known.token.clone()).collect();
    tokens.try_into().unwrap()
}

#[tokio::test]
async fn tokens_have_scopes_and_an_end() {
    let service = service().await;
    let [read, write, expired] = tokens();
    let add =
        |code: &str| send(Method::POST, "/v1/users.json", &json!({"users": [{"code": code, "name": code}]}));
    let list = || get("/v1/users.json?size=1");
    assert_eq!(list().bearer(&read).to(&service).await.outcome(), "200");
    assert_eq!(list().bearer(&expired).to(&service).await.outcome(), "401 CB_AU01");
    assert_eq!(list().bearer("cy.s.api1.a.b.c").to(&service).await.outcome(), "401 CB_AU01");
    assert_eq!(list().to(&service).await.outcome(), "401 CB_AU01");
    assert_eq!(add("new").bearer(&read).to(&service).await.outcome(), "403 CB_NO02");
    assert_eq!(add("new").bearer(&write).to(&service).await.outcome(), "200");
    assert_eq!(add("new").bearer(&write).to(&service).await.outcome(), "400 CB_VA01");
    let delete = request(Method::DELETE, "/v1/users.json?codes[0]=new");
    assert_eq!(delete.clone().bearer(&write).to(&service).await.outcome(), "403 CB_NO02");
    assert_eq!(delete.anna().to(&service).await.outcome(), "200");
    // The record service does not know these tokens.
    assert_eq!(get("/k/v1/apps.json").bearer(&read).to(&service).await.outcome(), "401 CB_AU01");
    service.clock.advance(SignedDuration::from_hours(24 * 365 * 12));
    assert_eq!(list().bearer(&read).to(&service).await.outcome(), "401 CB_AU01");
}

#[tokio::test]
async fn people_and_their_groups() {
    let service = service().await;
    let [read, ..] = tokens();
    let codes = |answer: &Json| -> Vec<String> {
        let list = answer.as_array().unwrap();
        list.iter().map(|entry| entry["code"].as_str().unwrap().to_owned()).collect()
    };
    let ask = async |path: &str| get(path).bearer(&read).to(&service).await.json();
    assert_eq!(codes(&ask("/v1/users.json?size=2&offset=1").await["users"]), ["ben", "carla"]);
    assert_eq!(codes(&ask("/v1/users.json?codes[0]=ben&codes[1]=anna").await["users"]), ["anna", "ben"]);
    assert_eq!(codes(&ask("/v1/users.json?ids[0]=3").await["users"]), ["carla"]);
    assert_eq!(
        codes(&ask("/v1/organizations.json").await["organizations"]),
        ["sales", "sales-west", "support"]
    );
    assert_eq!(codes(&ask("/v1/groups.json").await["groups"]), ["everyone", "managers", "staff"]);
    assert_eq!(codes(&ask("/v1/user/groups.json?code=anna").await["groups"]), ["managers"]);
    let titles = ask("/v1/user/organizations.json?code=carla").await;
    assert_eq!(titles["organizationTitles"][0]["organization"]["parentCode"], "sales");
    let members = ask("/v1/organization/users.json?code=sales-west").await;
    assert_eq!(members["userTitles"][0]["user"]["name"], "Carla Stone");
    assert_eq!(codes(&ask("/v1/group/users.json?code=staff").await["users"]), ["ben", "carla"]);
    for (path, expected) in [
        ("/v1/users.json?size=101", "400 CB_VA01"),
        ("/v1/users.json?ids[0]=1&codes[0]=ben", "400 CB_VA01"),
        ("/v1/user/groups.json?code=nobody", "404 GAIA_IL26"),
    ] {
        assert_eq!(get(path).bearer(&read).to(&service).await.outcome(), expected, "{path}");
    }
}
