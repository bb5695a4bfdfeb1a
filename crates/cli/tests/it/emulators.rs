//! `tombolo emulator`, started by a script that reads from its output where it is.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::world::bare;

/// An emulator that ends with the test.
struct Emulator {
    process: Child,
    ready: Value,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself, which is what a failing test wants to tell about.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Emulator {
    /// Starts one on free ports and reads the object that it prints once it answers.
    fn start(arguments: &[&str]) -> Self {
        let free = ["emulator", "--json", "--listen", "127.0.0.1:0"];
        let mut command = bare(&[&free[..], arguments].concat());
        let mut process =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("readable");
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| {
            let mut complained = String::new();
            process.stderr.take().expect("piped").read_to_string(&mut complained).expect("UTF-8");
            panic!("{error}: {line}\n{complained}")
        });
        Self { process, ready }
    }

    fn text(&self, pointer: &str) -> &str {
        let found = self.ready.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer}: {}", self.ready))
    }

    fn members(&self) -> Vec<&str> {
        self.ready.as_object().expect("an object").keys().map(String::as_str).collect()
    }
}

/// The body of an answer to a GET over plain HTTP.
#[expect(clippy::disallowed_methods, reason = "a script that reaches the emulator knows no egress")]
fn get(url: &str, header: &str) -> String {
    let (address, path) = url.trim_start_matches("http://").split_once('/').expect("a path");
    let mut stream = TcpStream::connect(address).expect("it answers");
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\nConnection: close\r\n\r\n")
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("UTF-8");
    answer.split_once("\r\n\r\n").expect("an answer").1.to_owned()
}

#[test]
fn the_emulator_says_in_json_where_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = directory.path().join("ca.pem").display().to_string();
    let free = "127.0.0.1:0";
    let emulator =
        Emulator::start(&["--listen-tls", free, "--listen-control", free, "--authority-file", &authority]);
    assert_eq!(emulator.members(), ["tenants", "tls", "control", "authority_file"]);
    assert_eq!(emulator.text("/tenants/0/name"), "demo");
    let apis = get(&format!("{}/k/v1/apis.json", emulator.text("/tenants/0/url")), "Accept: */*");
    assert!(apis.contains("apis/records/get.json"), "{apis}");
    let requests = get(&format!("{}/requests", emulator.text("/control")), "Accept: */*");
    assert!(requests.contains("/k/v1/apis.json"), "{requests}");
    assert!(emulator.text("/tls").starts_with("127.0.0.1:"), "{}", emulator.ready);
    assert_eq!(emulator.text("/authority_file"), authority);
    assert!(std::fs::read_to_string(authority).expect("written").starts_with("-----BEGIN CERTIFICATE"));
}

#[test]
fn the_simulator_says_in_json_what_it_accepts_and_how_a_server_is_sent_there() {
    let simulator = Emulator::start(&["--provider", "oomnitza", "--field", "subdomain=north"]);
    assert_eq!(
        simulator.members(),
        ["provider", "url", "connect_to", "accepted", "tls", "control", "authority_file"]
    );
    assert_eq!(simulator.text("/provider"), "oomnitza");
    assert_eq!((&simulator.ready["tls"], &simulator.ready["control"]), (&Value::Null, &Value::Null));
    let (url, address) = (simulator.text("/url"), simulator.text("/connect_to/address"));
    let port = address.strip_prefix("127.0.0.1:").expect("loopback");
    assert_eq!(url, format!("http://localhost:{port}"));
    assert_eq!(
        simulator.ready["connect_to"],
        json!({"host": "north.oomnitza.com", "address": address, "without_tls": true})
    );
    let [token, password] = simulator.ready["accepted"].as_array().expect("a list").as_slice() else {
        panic!("two schemes: {}", simulator.ready)
    };
    assert_eq!((&token["scheme"], &password["scheme"]), (&json!("api_token"), &json!("password")));
    assert_eq!(token["fields"]["subdomain"], "north");
    let token = token["fields"]["token"].as_str().expect("a token");
    let echo = get(&format!("{url}/thing"), &format!("Authorization2: {token}"));
    assert!(echo.contains("\"method\":\"GET\""), "{echo}");
}

#[test]
fn what_keeps_the_emulator_from_starting_is_told_in_json_too() {
    let output = bare(&["emulator", "--json", "--provider", "nobody"]).output().expect("the binary runs");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let told: Value = serde_json::from_slice(&output.stderr).expect("JSON");
    assert_eq!(told["error"]["message"], "There is no built-in provider `nobody`");
}
