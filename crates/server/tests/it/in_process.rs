use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tombolo_api::client::{ApiClient, Transport, full};
use tombolo_api::{ConnectionQuery, CreateConnection, FieldValue, Health, TestProgress};
use tombolo_server::InProcess;

use crate::app::{App, TOKEN};

/// The typed client, over a connection inside of the process: what a command line does that holds the data directory.
#[tokio::test(flavor = "multi_thread")]
async fn the_operator_works_without_a_listener() {
    let app = App::start().await;
    let server = InProcess::new(&app.platform, 9, None).expect("no URL");
    let client = ApiClient::new(Transport::in_process(move || server.connect()));
    let draft = CreateConnection {
        provider_config_key: "kintone".to_owned(),
        name: "営業/西 1".to_owned(),
        fields: [("subdomain", "demo"), ("token", TOKEN), ("app", "1")]
            .map(|(name, value)| (name.to_owned(), FieldValue::from(value)))
            .into(),
        test: true,
        ..CreateConnection::default()
    };
    let created = client.create_connection(&draft).await.expect("created");
    assert!(created.report.expect("a report").available);
    let found = client.read_connection("営業/西 1", None).await.expect("found");
    assert_eq!((found.id.as_str(), found.health.status), (created.connection.id.as_str(), Health::Active));
    assert_eq!(
        client.list_connections(&ConnectionQuery::default()).await.expect("a page").connections.len(),
        1
    );

    let mut lines = client.watch_test_connection(&found.id, Some("kintone")).await.expect("it begins");
    let mut told = Vec::new();
    while let Some(line) = lines.next().await.expect("a line") {
        told.push(line);
    }
    assert!(matches!(told.first(), Some(TestProgress::Started { .. })), "{told:?}");
    assert!(matches!(told.last(), Some(TestProgress::Report(report)) if report.available), "{told:?}");

    let request = Request::get("/proxy/k/v1/app.json?id=1").header("connection-id", found.id.as_str());
    let answer = client.send(request.body(full("")).expect("a request")).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.into_body().collect().await.expect("a body").to_bytes().starts_with(b"{"));

    let error = client.read_connection("nobody", None).await.expect_err("unknown");
    let problem = error.api().expect("a problem");
    assert_eq!((problem.status, problem.code.as_str()), (404, "unknown_connection"));
    assert!(problem.request_id.starts_with("req_") && !problem.fix.is_empty());

    let elsewhere = client.clone().with_environment("nowhere");
    let error = elsewhere.list_integrations().await.expect_err("unknown");
    assert_eq!(error.api().map(|problem| problem.code.as_str()), Some("unknown_environment"));
}
