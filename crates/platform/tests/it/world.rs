//! An emulator, and a platform that reaches it over TLS under its real host names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;
use tempfile::TempDir;
use tombolo_egress::FixedResolver;
use tombolo_kintone_emulator::{Control, Emulator, EmulatorOptions};
use tombolo_platform::proxy::{Call, CallBody, Lane, send};
use tombolo_platform::start::{ConnectToOption, StartOptions, Started, start};
use tombolo_platform::{
    Access, ConnectionDraft, CreatedConnection, Platform, Problem, TestEvent, TestReport,
};

pub struct World {
    pub platform: Arc<Platform>,
    pub access: Access,
    pub lane: Lane,
    emulator: Emulator,
    _started: Started,
    _directory: TempDir,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(|_, _| {}).await
    }

    /// Starts with changed options.
    pub async fn start_with(change: impl FnOnce(&mut StartOptions, &Emulator)) -> Self {
        let emulator = Emulator::start(EmulatorOptions::default()).await.expect("the emulator starts");
        let directory = tempfile::tempdir().expect("a directory");
        let mut options = StartOptions::in_directory(directory.path().join("data"));
        options.resolver = Arc::new(
            FixedResolver::default().with("private.kintone.com", &["10.0.0.5".parse().expect("an address")]),
        );
        let address = emulator.https_address().expect("TLS").to_string();
        options.egress.connect_to = ["demo.kintone.com", "sample.cybozu.com", "stranger.kintone.com"]
            .map(|host| ConnectToOption {
                authority: emulator.certificate_authority_pem().map(str::to_owned),
                ..connect_to(host, &address)
            })
            .to_vec();
        change(&mut options, &emulator);
        let started = start(options).await.expect("the platform starts");
        let platform = Arc::clone(&started.platform);
        let access = platform.operator_access(None).await.expect("the default environment");
        Self { lane: platform.lane(), platform, access, emulator, _started: started, _directory: directory }
    }

    /// What the emulator can be told and asked.
    pub fn kintone(&self) -> Control {
        self.emulator.control()
    }

    pub async fn create(
        &self,
        draft: &ConnectionDraft,
    ) -> Result<Result<CreatedConnection, TestReport>, Problem> {
        self.platform.create_connection(&self.access, draft, true, &mut |_| {}).await
    }

    pub async fn test(&self, draft: &ConnectionDraft) -> Result<(TestReport, Vec<TestEvent>), Problem> {
        let mut events = Vec::new();
        let report = self.platform.test_draft(&self.access, draft, &mut |event| events.push(event)).await?;
        Ok((report, events))
    }

    /// A call through a connection: status, headers and JSON.
    pub async fn call(
        &self,
        connection: &str,
        method: Method,
        target: &str,
        body: &str,
    ) -> (u16, HeaderMap, Value) {
        let plan = self.platform.plan(&self.access.environment, None, connection).await.expect("a plan");
        let mut headers = HeaderMap::new();
        if !body.is_empty() {
            headers.insert("content-type", "application/json".parse().expect("a value"));
        }
        let call = Call {
            method,
            target,
            headers,
            body: CallBody::Full(Bytes::from(body.to_owned())),
            caller: None,
            request_id: "req_test",
            started: Instant::now(),
        };
        match send(&self.lane, &plan, call).await {
            Ok(answer) => {
                let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
                let within = std::time::Duration::from_secs(10);
                let body = answer.into_body().collect(1 << 24, within).await.expect("the whole body");
                (status, headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
            }
            Err(problem) => (
                problem.kind.status(),
                HeaderMap::new(),
                serde_json::json!({ "code": problem.code, "what": problem.what }),
            ),
        }
    }
}

/// A host that is reached elsewhere, without a trusted authority.
pub fn connect_to(host: &str, address: &str) -> ConnectToOption {
    ConnectToOption {
        host: host.to_owned(),
        address: address.parse().expect("an address"),
        authority: None,
        browser_address: None,
        without_tls: false,
    }
}

/// A draft of a Kintone connection.
pub fn draft(name: &str, scheme: &str, fields: &[(&str, &str)]) -> ConnectionDraft {
    ConnectionDraft {
        integration: "kintone".to_owned(),
        name: name.to_owned(),
        connection_id: None,
        auth_scheme: Some(scheme.to_owned()),
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
        settings: BTreeMap::new(),
        tags: BTreeMap::new(),
        metadata: serde_json::json!({}),
    }
}
