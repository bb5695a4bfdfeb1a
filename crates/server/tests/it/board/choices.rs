//! What somebody ticks is what happens: nothing ticked never means everything.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn taking_every_tick_away_does_not_allow_everything() {
    let app = App::start().await;
    app.connect("Sales").await;
    let mut anna = set_up(&app).await;
    let path = "/integrations/kintone";
    let only_password = [("name", "Kintone"), ("auth_scheme", "password")];
    assert_eq!(sent_to(&press(&mut anna, path, &only_password).await), format!("{path}?done=saved"));
    let refused = press(&mut anna, path, &[("name", "Kintone")]).await.text();
    assert!(refused.contains("Tick at least one way to sign in."), "{refused}");
    let text = page(&anna, path).await;
    let ticked = found(&text, r#"name="auth_scheme" value="([a-z0-9_]+)" checked"#);
    assert_eq!(ticked, ["password"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_may_do_what_was_chosen_and_no_more() {
    let app = App::start().await;
    let mut anna = set_up(&app).await;
    let secrets = "environment:connections:read_credentials";
    for (name, reach, scopes, expected) in [
        ("one", "chosen", vec!["environment:proxy"], "environment:proxy".to_owned()),
        ("all", "all", vec![], "environment:*".to_owned()),
        ("all-with-ticks", "all", vec!["environment:proxy"], "environment:*".to_owned()),
        ("all-and-secrets", "all", vec![secrets], format!("environment:*, {secrets}")),
    ] {
        let ticks = scopes.iter().map(|scope| ("scope", *scope));
        let fields: Vec<_> = [("name", name), ("reach", reach)].into_iter().chain(ticks).collect();
        let made = press(&mut anna, "/api-keys", &fields).await.text();
        let row = format!(r#"<th scope="row">{name}</th><td><code>{expected}</code></td>"#);
        assert!(made.contains(&row), "{row}\n{made}");
    }
}
