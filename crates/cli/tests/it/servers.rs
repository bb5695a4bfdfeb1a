//! The other two ways to the API: the operator's socket, and HTTP with a key.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::world::{Ran, World, bare, run};

/// A server that ends with the test.
pub struct Served(pub Child);

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself, which is what a failing test wants to tell about.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

pub async fn serve(world: &World, port: u16) -> Served {
    let mut command = world.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let served = Served(command.stderr(Stdio::null()).spawn().expect("the binary runs"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while !world.data().join("operator.sock").exists() {
        assert!(Instant::now() < deadline, "the server did not start");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    served
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_a_running_server_by_its_socket_and_by_url() {
    let world = World::start().await;
    let port = free_port();
    let served = serve(&world, port).await;
    let url = format!("http://127.0.0.1:{port}");

    assert_eq!(world.link("Sales").await.code, 0);
    let called = world.run(&["request", "-c", "Sales", "GET", "/k/v1/app.json?id=1"]).await;
    assert_eq!(called.code, 0, "{}", called.err);
    let key = world.run(&["api-key", "create", "remote"]).await.out.trim().to_owned();
    let status = world.json(&["key", "status"]).await;
    assert!(status["place"].as_str().expect("a file").ends_with("master.key"), "{status}");
    let data_key = &status["environments"][0]["data_keys"][0];
    assert_eq!((&data_key["version"], &data_key["sealed"]), (&1.into(), &1.into()), "{status}");

    let by_url = |key: String, arguments: &'static [&'static str]| {
        let mut command = bare(arguments);
        command.env("TOMBOLO_URL", &url).env("TOMBOLO_API_KEY", key);
        run(command, "")
    };
    let list: Ran = by_url(key.clone(), &["connection", "list"]).await;
    assert!(list.code == 0 && list.out.contains("Sales"), "{}\n{}", list.out, list.err);
    let called = by_url(key.clone(), &["request", "-c", "Sales", "GET", "/k/v1/app.json?id=2"]).await;
    assert!(called.code == 0 && called.out.contains("\"appId\""), "{}\n{}", called.out, called.err);
    // What is about the whole installation needs a scope that says so.
    let refused = by_url(key.clone(), &["key", "status"]).await;
    assert_eq!(refused.code, 5, "{}", refused.err);
    assert!(refused.err.contains("`installation:keys:read`"), "{}", refused.err);
    let scope = ["api-key", "create", "operations", "--scope", "installation:*"];
    let operations = world.run(&scope).await.out.trim().to_owned();
    let by_key = by_url(operations, &["key", "status", "--json"]).await;
    let by_key: serde_json::Value = serde_json::from_str(&by_key.out).expect("a document");
    assert_eq!((&by_key["id"], &by_key["environments"]), (&status["id"], &status["environments"]));
    assert!(by_key["place"].is_null(), "where the server has it is not told: {by_key}");
    let doctor = by_url(key.clone(), &["doctor", "--offline"]).await;
    assert!(doctor.code == 0 && doctor.out.contains("server: it answers"), "{}", doctor.out);

    let narrow = world.run(&["api-key", "create", "narrow", "--scope", "environment:proxy"]).await.out;
    let refused = by_url(narrow.trim().to_owned(), &["connection", "list"]).await;
    assert_eq!(refused.code, 5, "{}", refused.err);
    assert!(refused.err.contains("environment:connections:list"), "{}", refused.err);
    let unknown = by_url("tmb_000000000000_nobody".to_owned(), &["connection", "list"]).await;
    assert_eq!(unknown.code, 5, "{}", unknown.err);

    drop(served);
    let gone = by_url(key, &["connection", "list"]).await;
    assert_eq!(gone.code, 7, "{}", gone.err);
    assert!(
        gone.err.contains("check that `tombolo serve` runs there")
            || gone.err.contains("Check that `tombolo serve` runs there"),
        "{}",
        gone.err
    );
    // The socket's file is left over from the killed server, and is no server.
    assert!(world.data().join("operator.sock").exists());
    assert_eq!(world.run(&["connection", "list"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn followed_calls_are_all_shown_however_many_come_at_once() {
    let world = World::start().await;
    let _served = serve(&world, free_port()).await;
    assert_eq!(world.link("Sales").await.code, 0);
    let mut follow = world.command(&["activity", "--follow", "--json", "--limit", "2"]);
    let mut follow = Served(follow.stdout(Stdio::piped()).spawn().expect("the binary runs"));
    let out = follow.0.stdout.take().expect("piped");
    let (line, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || BufReader::new(out).lines().try_for_each(|text| line.send(text)));
    let mut next_line = async || {
        let next = tokio::time::timeout(Duration::from_secs(20), lines.recv()).await;
        next.expect("every call is shown").expect("it goes on").expect("readable")
    };
    for id in 1..=9 {
        let path = format!("/k/v1/record.json?app=1&id={id}");
        assert_eq!(world.run(&["request", "-c", "Sales", "GET", &path]).await.code, 0);
        // From here on it follows; before, it would have begun with the newest two.
        if id == 1 {
            next_line().await;
        }
    }
    for _ in 2..=9 {
        next_line().await;
    }
}

/// Answers one request as something on the way to the server does, and gives the URL for it.
fn something_on_the_way(status: &str) -> String {
    answering(status, "<html>Please sign in</html>")
}

/// Answers one request, and gives the URL for it.
fn answering(status: &str, page: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a caller");
        assert!(socket.read(&mut [0; 4096]).expect("a request") > 0);
        socket.write_all(answer.as_bytes()).expect("answered");
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_in_place_of_the_server_is_not_taken_for_the_vendor() {
    for status in ["502 Bad Gateway", "404 Not Found", "200 OK"] {
        let url = something_on_the_way(status);
        let ran =
            run(bare(&["request", "--url", &url, "-c", "Sales", "GET", "/k/v1/app.json?id=1"]), "").await;
        assert_eq!((ran.code, ran.out.as_str()), (7, ""), "{status}: {}", ran.err);
        let expected = format!(
            "error: The server answered {status}, and not in the way of this API\n  Check that the URL"
        );
        assert!(ran.err.starts_with(&expected), "{}", ran.err);
    }
    let url = answering("200 OK", "");
    let ran = run(bare(&["connection", "test", "Sales", "--url", &url]), "").await;
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert!(ran.err.contains("the server's answer ended before its last line"), "{}", ran.err);
    let url = something_on_the_way("403 Forbidden");
    let ran = run(bare(&["connection", "list", "--url", &url]), "").await;
    assert_eq!(ran.code, 7, "{}", ran.err);
}
