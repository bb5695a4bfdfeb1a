//! A PostgreSQL for tests: the one of `TEST_POSTGRES_URL`, or a throw-away cluster that ends with the test process.

use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The URL of a new, empty database. Fails loudly when there is no PostgreSQL: no test is skipped in silence.
pub async fn new_postgres_database() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let server = server_url();
    let name = format!("store_test_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    let mut connection =
        PgConnection::connect(&server).await.expect("the test PostgreSQL accepts connections");
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .expect("the test user may create databases");
    connection.close().await.expect("closing works");
    with_database(&server, &name)
}

/// The URL of a copy of a database that nobody uses.
pub async fn copied_postgres_database(url: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let original = url.split(['?']).next().and_then(|url| url.rsplit('/').next()).expect("a database");
    let name = format!("{original}_copy_{}", COUNTER.fetch_add(1, Ordering::Relaxed));
    let server = server_url();
    let mut connection = PgConnection::connect(&server).await.expect("the server answers");
    let statement = format!("CREATE DATABASE {name} TEMPLATE {original}");
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    statement.execute(&mut connection).await.expect("nobody uses the original");
    connection.close().await.expect("closing works");
    with_database(&server, &name)
}

/// Lets nobody into a database and throws everybody out, as if the server were down, or lets them in again.
pub async fn set_reachable(url: &str, reachable: bool) {
    let database = url.split(['?']).next().and_then(|url| url.rsplit('/').next()).expect("a database");
    let mut connection = PgConnection::connect(&server_url()).await.expect("the server answers");
    let statements = format!(
        "ALTER DATABASE {database} WITH ALLOW_CONNECTIONS {reachable}; \
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND NOT {reachable}"
    );
    for statement in statements.split("; ") {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        statement.execute(&mut connection).await.expect("the test user may do so");
    }
    connection.close().await.expect("closing works");
}

/// A lock that is held until this is dropped.
pub struct HeldLock(PgConnection);

impl HeldLock {
    /// Runs a statement that locks, and keeps its transaction open.
    pub async fn take(url: &str, statement: &str) -> Self {
        let mut connection = PgConnection::connect(url).await.expect("the server answers");
        let script = sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {statement}")));
        script.execute(&mut connection).await.expect("the lock is free");
        Self(connection)
    }

    /// Waits until somebody else in the database waits for a lock.
    pub async fn wait_for_another(&mut self) {
        let waiting = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        loop {
            // Outside of the transaction's snapshot of the statistics.
            sqlx::raw_sql("SELECT pg_stat_clear_snapshot()").execute(&mut self.0).await.expect("it may");
            let count: i64 = sqlx::query_scalar(waiting).fetch_one(&mut self.0).await.expect("a count");
            if count > 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Gives it back.
    pub async fn release(self) {
        self.0.close().await.expect("closing works");
    }
}

fn with_database(server: &str, name: &str) -> String {
    let (address, options) =
        server.split_once('?').map_or((server, None), |(address, options)| (address, Some(options)));
    let slash = address.rfind('/').filter(|at| *at > "postgres://".len());
    let address = slash.map_or(address, |at| &address[..at]);
    options.map_or_else(|| format!("{address}/{name}"), |options| format!("{address}/{name}?{options}"))
}

fn server_url() -> String {
    std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(Cluster::start).url.clone()
    })
}

/// A PostgreSQL of one test's own, which it may restart.
pub struct OwnPostgres(Cluster);

impl OwnPostgres {
    /// Starts an empty server.
    pub fn start() -> Self {
        Self(Cluster::start())
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        self.0.url.clone()
    }

    /// Ends it as a crash would, with every connection, and starts it again; what was committed is there. Blocks until it
    /// accepts connections.
    #[must_use]
    pub fn restarted(mut self) -> Self {
        let input = self.0.shell.stdin.as_mut().expect("stdin is piped");
        writeln!(input, "restart").expect("the shell runs");
        self.0.wait_until_ready();
        self
    }
}

struct Cluster {
    url: String,
    /// The shell that owns the cluster stops it when its input closes, however the test process ends.
    shell: Child,
    output: BufReader<ChildStdout>,
}

/// Runs in a new directory as an unprivileged user. Nothing is flushed to disk: the data need not outlive the machine.
const SCRIPT: &str = r#"
"$BIN/initdb" --no-sync --username=test --auth=trust --encoding=UTF8 --locale=C.UTF-8 data >log 2>&1 &&
"$BIN/pg_ctl" --wait -D data -l log start >>log 2>&1 \
    -o "-c listen_addresses='' -k $PWD -c fsync=off -c full_page_writes=off" &&
echo ready || { cat log; rm -rf "$PWD"; exit 1; }
while read -r restart; do
    "$BIN/pg_ctl" --wait -D data -l log -m immediate restart >>log 2>&1 && echo ready || cat log
done
"$BIN/pg_ctl" --wait -D data -m immediate stop >/dev/null 2>&1
rm -rf "$PWD"
"#;

impl Cluster {
    fn start() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("store-test-postgres-")
            .tempdir()
            .expect("a temporary directory")
            .keep();
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(SCRIPT).env("BIN", binaries()).current_dir(&directory);
        if let Some((user, group)) = unprivileged_user(&directory) {
            std::os::unix::fs::chown(&directory, Some(user), Some(group)).expect("root may change owners");
            shell.uid(user).gid(group);
        }
        let mut child =
            shell.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn().expect("sh starts");
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let url = format!("postgres://test@localhost/postgres?host={}", directory.display());
        let mut started = Self { url, shell: child, output };
        started.wait_until_ready();
        started
    }

    fn wait_until_ready(&mut self) {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the shell says something");
        assert!(line.trim() == "ready", "PostgreSQL did not start: {line}");
    }
}

fn binaries() -> PathBuf {
    if let Some(directory) = std::env::var_os("PG_BIN") {
        return directory.into();
    }
    let version = |path: &Path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("bin/initdb").exists())
        .max_by_key(|path| version(path))
        .expect(
            "no PostgreSQL found: install it (apt-get install postgresql), or set PG_BIN to the directory of initdb, \
             or set TEST_POSTGRES_URL to a server whose user may create databases",
        )
        .join("bin")
}

/// initdb refuses to run as root: then this is the user and group to run it as.
fn unprivileged_user(directory: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if std::fs::metadata(directory).expect("the directory was just made").uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd is readable");
    let ids_of = |user: &str| {
        let fields: Vec<_> =
            users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == user)?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    Some(ids_of("postgres").or_else(|| ids_of("nobody")).expect("there is a user postgres or nobody"))
}
