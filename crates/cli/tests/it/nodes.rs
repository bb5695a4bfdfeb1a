//! Several servers on one PostgreSQL: they share the work, and what a killed one had is taken up by the others.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tombolo_store::testing::new_postgres_database;

use crate::servers::{Served, free_port};
use crate::world::{Ran, World, bare, run};

/// A receiver that takes its time; the ids of what it got, in their order.
#[derive(Clone)]
struct SlowReceiver {
    address: SocketAddr,
    got: Arc<Mutex<Vec<String>>>,
    takes: Arc<Mutex<Duration>>,
}

impl SlowReceiver {
    fn start(takes: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let receiver = Self { address, got: Arc::default(), takes: Arc::new(Mutex::new(takes)) };
        let serving = receiver.clone();
        std::thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(socket));
            }
        });
        receiver
    }

    /// One request on each connection.
    fn serve(&self, mut socket: TcpStream) -> std::io::Result<()> {
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !request.ends_with(b"}") {
            let read = socket.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            request.extend_from_slice(&buffer[..read]);
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let id = text.lines().find_map(|line| line.strip_prefix("webhook-id: ")).expect("an id").to_owned();
        let path = text.split(' ').nth(1).expect("a path").to_owned();
        self.got.lock().expect("not poisoned").push(format!("{path} {id}"));
        let takes = *self.takes.lock().expect("not poisoned");
        std::thread::sleep(takes);
        socket.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    }

    fn got(&self) -> Vec<String> {
        self.got.lock().expect("not poisoned").clone()
    }
}

/// Servers on one PostgreSQL, and a receiver that is known to all of them as `hooks.example.com`.
struct Cluster {
    world: World,
    receiver: SlowReceiver,
    database: String,
    master_key: String,
    key: String,
}

impl Cluster {
    async fn start(takes: Duration) -> Self {
        let world = World::start().await;
        let receiver = SlowReceiver::start(takes);
        let known = std::fs::read_to_string(world.path("tombolo.toml")).expect("written");
        let rule = format!(
            ", {{ host = \"hooks.example.com\", address = \"{}\", without_tls = true }}]",
            receiver.address
        );
        std::fs::write(world.path("tombolo.toml"), known.replace("}]", &format!("}}{rule}")))
            .expect("written");
        let database = new_postgres_database().await;
        let master_key = world.path("shared.key").display().to_string();
        assert_eq!(run(bare(&["key", "generate", &master_key]), "").await.code, 0);
        let mut cluster = Self { world, receiver, database, master_key, key: String::new() };
        let made = run(cluster.command(&["api-key", "create", "test"]), "").await;
        assert_eq!(made.code, 0, "{}", made.err);
        made.out.trim().clone_into(&mut cluster.key);
        cluster
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.world.command(arguments);
        command.env("TOMBOLO_DATABASE_URL", &self.database).env("TOMBOLO_MASTER_KEY_FILE", &self.master_key);
        command
    }

    async fn serve(&self) -> (Served, String) {
        let port = free_port();
        let mut command = self.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
        let served = Served(command.stderr(Stdio::null()).spawn().expect("the binary runs"));
        let url = format!("http://127.0.0.1:{port}");
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.on(&url, &["api-key", "list"]).await.code != 0 {
            assert!(Instant::now() < deadline, "the server did not start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        (served, url)
    }

    async fn on(&self, url: &str, arguments: &[&str]) -> Ran {
        let mut command = bare(arguments);
        command.env("TOMBOLO_URL", url).env("TOMBOLO_API_KEY", &self.key);
        run(command, "").await
    }

    async fn json_on(&self, url: &str, arguments: &[&str]) -> Value {
        let ran = self.on(url, &[arguments, &["--json"]].concat()).await;
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
    }

    async fn webhook_on(&self, url: &str, name: &str) {
        let address = format!("https://hooks.example.com/{name}");
        let made = self.on(url, &["webhook", "create", name, "--to", &address]).await;
        assert_eq!(made.code, 0, "{}", made.err);
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_servers_share_the_work() {
    let cluster = Cluster::start(Duration::from_millis(1500)).await;
    let (one, two, three) = tokio::join!(cluster.serve(), cluster.serve(), cluster.serve());
    let url = &one.1;
    for number in 0..40 {
        cluster.webhook_on(url, &format!("hook-{number}")).await;
    }
    let connect = ["--field", "subdomain=demo", "--field", "app=1", "--secret-from", "token=env:TOKENS"];
    let mut command =
        bare(&[&["connection", "create", "--provider", "kintone", "--name", "Sales"], &connect[..]].concat());
    command
        .env("TOMBOLO_URL", url)
        .env("TOMBOLO_API_KEY", &cluster.key)
        .env("TOKENS", crate::world::CUSTOMERS);
    let linked = run(command, "").await;
    assert_eq!(linked.code, 0, "{}", linked.err);
    until("all is delivered", async || {
        let done = cluster
            .json_on(url, &["job", "list", "--kind", "webhook_delivery", "--state", "succeeded"])
            .await;
        done["jobs"].as_array().expect("a list").len() == 40
    })
    .await;
    let got = cluster.receiver.got();
    assert_eq!((got.len(), got.iter().collect::<BTreeSet<_>>().len()), (40, 40), "each receiver got it once");
    let jobs = cluster.json_on(url, &["job", "list", "--kind", "webhook_delivery"]).await;
    let workers: Vec<&str> =
        jobs["jobs"].as_array().expect("a list").iter().filter_map(|job| job["worker"].as_str()).collect();
    let counts: Vec<usize> = workers
        .iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|worker| workers.iter().filter(|other| *other == worker).count())
        .collect();
    println!("jobs done by each server: {counts:?}");
    assert_eq!(counts.len(), 3, "{counts:?}");
    drop((two, three));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_was_sending_is_sent_again_under_the_same_id() {
    let cluster = Cluster::start(Duration::from_secs(15)).await;
    let (mut victim, url) = cluster.serve().await;
    cluster.webhook_on(&url, "crm").await;
    // The receiver has it, but its answer never comes back.
    let mut test = bare(&["webhook", "test", "crm"]);
    test.env("TOMBOLO_URL", &url).env("TOMBOLO_API_KEY", &cluster.key);
    let mut test = Served(test.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs"));
    until("it is sent", async || cluster.receiver.got().len() == 1).await;
    let (_heir, url) = cluster.serve().await;
    *cluster.receiver.takes.lock().expect("not poisoned") = Duration::ZERO;
    victim.0.kill().expect("it runs");
    victim.0.wait().expect("it ends");
    let _ = test.0.kill();
    let killed = Instant::now();
    until("it is sent again", async || cluster.receiver.got().len() == 2).await;
    println!("taken up after {:?}", killed.elapsed());
    let got = cluster.receiver.got();
    assert_eq!(got[0], got[1]);
    until("it is delivered", async || {
        let page = cluster.json_on(&url, &["webhook", "deliveries", "crm", "--state", "delivered"]).await;
        page["deliveries"].as_array().expect("a list").len() == 1
    })
    .await;
    let page = cluster.json_on(&url, &["webhook", "deliveries", "crm"]).await;
    assert_eq!(page["deliveries"][0]["attempts"], 1, "what was not noted does not count");
    let jobs = cluster.json_on(&url, &["job", "list", "--kind", "webhook_delivery"]).await;
    assert_eq!(jobs["jobs"][0]["attempts"], 2, "claimed by two");
}
