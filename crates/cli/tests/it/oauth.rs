//! Accounts that a person links in a browser.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tombolo_api::client::{ApiClient, Transport, full};

use crate::servers::{Served, free_port, serve};
use crate::world::{Ran, World, run};

const SECRET: &str = "canaryClientSecret000000000000000000007";

/// Opens a link, decides on the vendor's page, and comes back; answers the status and the text of the last page.
async fn browse(world: &World, url: &str, decision: &str) -> (u16, String) {
    let parts = |url: &str| {
        let at = url.match_indices('/').nth(2).expect("an absolute URL").0;
        (ApiClient::new(Transport::url(&url[..at]).expect("a URL")), url[at..].to_owned())
    };
    let (server, path) = parts(url);
    // What the button of the link's page does.
    let request = Request::post(&path).body(full("")).expect("a request");
    let begun = server.send(request).await.expect("an answer");
    assert_eq!(begun.status(), 303);
    let text = |name: &str| begun.headers()[name].to_str().expect("text").to_owned();
    let cookie = text("set-cookie").split(';').next().expect("a cookie").to_owned();

    let (_, page) = parts(&text("location"));
    let form = json!({ "login_name": "anna", "password": "demo-password-anna", "decision": decision });
    let form = tombolo_api::client::query("", &form).expect("encodes").replacen('?', "", 1);
    let request = Request::post(format!("/t/demo{page}"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(full(form)).expect("a request");
    let vendor = ApiClient::new(Transport::url(&world.vendor_url()).expect("a URL"));
    let decided = vendor.send(request).await.expect("an answer");
    assert_eq!(decided.status(), 302);

    let (server, back) = parts(decided.headers()["location"].to_str().expect("text"));
    let request = Request::get(&back).header("cookie", cookie).body(full("")).expect("a request");
    let last = server.send(request).await.expect("an answer");
    let status = last.status().as_u16();
    let text = last.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8(text.to_vec()).expect("UTF-8"))
}

/// What stands in a page between two texts.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("{before}: {page}"));
    rest.split_once(after).expect("its end").0
}

/// What the person does with the page at the end.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// Goes on to the command, which runs on the same machine.
    GoesOn,
    /// Tells the code to somebody, who gives it to another command.
    TellsCode,
    /// There is nothing to do.
    Denied,
}

/// Makes an OAuth client and registers it with the emulated vendor.
async fn register(world: &World) {
    let create = ["oauth-client", "create", "--provider", "kintone", "--name", "Acme"];
    let made = world.run(&[&create[..], &["--field", "subdomain=demo"]].concat()).await;
    assert_eq!(made.code, 0, "{}", made.err);
    let uri = made.out.trim_end();
    assert!(uri.starts_with("http://localhost:") && !uri.contains('\n'), "the redirect URI alone: {uri}");
    let next = "tombolo oauth-client update Acme --client-id ID --secret-from stdin";
    assert!(
        made.err.contains("made the OAuth client `Acme` (oac_") && made.err.contains(next),
        "{}",
        made.err
    );
    let vendor = world.kintone().add_oauth_client("demo", &[uri]).expect("the tenant is there");
    let update = ["oauth-client", "update", "Acme", "--client-id", &vendor.id, "--secret-from", "stdin"];
    let updated = world.run_with(&update, &format!("{}\n", vendor.secret)).await;
    assert_eq!(updated.code, 0, "{}", updated.err);
    assert!(updated.out.starts_with("redirect URI"), "{}", updated.out);
    assert!(!updated.out.contains(&vendor.secret), "{}", updated.out);
}

/// Runs `connection link` beside a person who decides, and answers what it came to.
async fn link(world: &World, arguments: &[&str], end: End) -> Ran {
    let all = [&["connection", "link", "--provider", "kintone", "--field", "app=1"], arguments].concat();
    let mut command = world.command(&all);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut linking = Served(command.spawn().expect("the binary runs"));
    let mut out = BufReader::new(linking.0.stdout.take().expect("piped"));
    let mut err = linking.0.stderr.take().expect("piped");
    let (mut out, url) = tokio::task::spawn_blocking(move || {
        let mut url = String::new();
        out.read_line(&mut url).expect("readable");
        (out, url)
    })
    .await
    .expect("not cancelled");
    let decision = if end == End::Denied { "deny" } else { "allow" };
    let (status, page) = browse(world, url.trim_end(), decision).await;
    assert_eq!(status, if end == End::Denied { 403 } else { 200 }, "{page}");
    match end {
        End::GoesOn => {
            let onward = between(&page, "<a href=\"", "\"").replace("&amp;", "&");
            let at = onward.match_indices('/').nth(2).expect("an absolute URL").0;
            let landing = ApiClient::new(Transport::url(&onward[..at]).expect("a URL"));
            // Somebody who guesses the port ends nothing.
            for (path, status) in [("/?authorization=aut_x&proof=y", 404), (&onward[at..], 200)] {
                let request = Request::get(path).body(full("")).expect("a request");
                assert_eq!(landing.send(request).await.expect("an answer").status(), status, "{path}");
            }
        }
        End::TellsCode => {
            let (id, code) = (
                between(&page, "data-authorization=\"", "\""),
                between(&page, "<strong class=\"told\">", "</strong>"),
            );
            assert_eq!(world.run(&["connection", "confirm", id]).await.code, 2, "nobody can be asked");
            assert_eq!(world.run(&["connection", "confirm", id, "--code", "BCDF-GHJK"]).await.code, 5);
            let confirmed = world.json(&["connection", "confirm", id, "--code", code]).await;
            assert_eq!(confirmed["auth_scheme"], "oauth2");
            assert_eq!(world.run(&["connection", "confirm", id, "--code", code]).await.code, 6);
        }
        End::Denied => {}
    }
    tokio::task::spawn_blocking(move || {
        let (mut out_text, mut err_text) = (String::new(), String::new());
        out.read_to_string(&mut out_text).expect("UTF-8");
        err.read_to_string(&mut err_text).expect("UTF-8");
        let code = linking.0.wait().expect("it ends").code().expect("not killed");
        Ran { code, out: out_text, err: err_text }
    })
    .await
    .expect("not cancelled")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_links_an_account_in_a_browser() {
    let world = World::start().await;
    let _served = serve(&world, free_port()).await;
    register(&world).await;

    let linked = link(&world, &["--name", "Sales"], End::GoesOn).await;
    assert_eq!(linked.code, 0, "{}\n{}", linked.out, linked.err);
    assert!(linked.out.starts_with("con_") && linked.out.lines().count() == 1, "{}", linked.out);
    assert!(linked.err.contains("It can be opened until"), "{}", linked.err);
    assert!(linked.err.contains("linked `Sales`"), "{}", linked.err);
    let called = world.run(&["request", "-c", "Sales", "GET", "/k/v1/app.json?id=1"]).await;
    assert_eq!(called.code, 0, "{}", called.err);

    let elsewhere = link(&world, &["--name", "Support"], End::TellsCode).await;
    assert_eq!(elsewhere.code, 0, "{}\n{}", elsewhere.out, elsewhere.err);
    assert!(elsewhere.err.contains("linked `Support`"), "{}", elsewhere.err);

    let denied = link(&world, &["--name", "Denied"], End::Denied).await;
    assert_eq!(denied.code, 4, "{}\n{}", denied.out, denied.err);
    assert!(denied.err.contains("did not authorise the connection (access_denied)"), "{}", denied.err);
    assert_eq!(world.run(&["oauth-client", "delete", "Acme", "--yes"]).await.code, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_one_object_for_a_script() {
    let world = World::start().await;
    let _served = serve(&world, free_port()).await;
    register(&world).await;
    let create = ["connection", "link", "--provider", "kintone", "--name", "Sales", "--no-wait"];
    let made: Value = world.json(&create).await;
    assert_eq!(made["stage"], "waiting");
    let (status, page) = browse(&world, made["url"].as_str().expect("a URL"), "allow").await;
    assert_eq!(status, 200, "{page}");
    let id = made["id"].as_str().expect("an id");
    let code = between(&page, "<strong class=\"told\">", "</strong>");
    assert_eq!(world.run(&["connection", "confirm", id, "--code", code]).await.code, 0);
    let shown = world.json(&["connection", "show", "Sales"]).await;
    assert_eq!((&shown["health"]["status"], &shown["auth_scheme"]), (&"active".into(), &"oauth2".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_of_a_link_is_said() {
    let world = World::start().await;
    let create =
        ["oauth-client", "create", "--provider", "kintone", "--name", "Acme", "--client-id", "l.1.a"];
    let mut command = world.command(&[&create[..], &["--secret-from", "env:CLIENT_SECRET"]].concat());
    command.env("CLIENT_SECRET", SECRET);
    let made = run(command, "").await;
    assert_eq!((made.code, made.out.as_str()), (0, ""), "nobody knows the redirect URI: {}", made.err);
    assert!(made.err.contains("start it with `tombolo serve`"), "{}", made.err);
    let mut japanese = world.command(&["oauth-client", "update", "Acme"]);
    japanese.env("LANG", "ja_JP.UTF-8");
    assert_eq!(run(japanese, "").await.code, 2, "nothing is to change");
    let list = world.run(&["oauth-client", "list"]).await;
    assert!(list.out.contains("Acme") && list.out.contains("ready"), "{}", list.out);
    for arguments in [&["oauth-client", "show", "Acme"][..], &["oauth-client", "list", "--json"]] {
        assert!(!world.run(arguments).await.out.contains(SECRET), "{arguments:?}");
    }

    let link =
        ["connection", "link", "--provider", "kintone", "--name", "Sales", "--field", "subdomain=demo"];
    let refused = world.run(&link).await;
    assert_eq!(refused.code, 7, "{}", refused.err);
    assert!(refused.err.contains("Start the server first: `tombolo serve`."), "{}", refused.err);
    let typed = ["connection", "create", "--provider", "kintone", "--auth-scheme", "oauth2"];
    let typed = world.run(&typed).await;
    assert_eq!(typed.code, 2, "{}", typed.err);
    assert!(typed.err.contains("tombolo connection link"), "{}", typed.err);
    assert_eq!(world.run(&["connection", "link", "--name", "Sales"]).await.code, 2);
    assert_eq!(world.run(&["oauth-client", "delete", "Acme", "--yes"]).await.code, 0);
    assert_eq!(world.run(&["oauth-client", "show", "Acme"]).await.code, 3);
}
