use std::sync::Arc;
use std::time::Duration;

use tombolo_api::JobsQuery;
use tombolo_api::client::{ApiClient, ClientError, Transport, TransportError};
use tombolo_server::{Server, ServerOptions, Tls};

use crate::app::App;

#[tokio::test(flavor = "multi_thread")]
async fn the_client_trusts_the_authorities_that_it_is_given_and_no_others() {
    let app = App::start().await;
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let pem = certified.cert.pem();
    let options = ServerOptions {
        listen: "127.0.0.1:0".parse().expect("an address"),
        proxy_threads: 1,
        connections_max: 10,
        requests_per_minute: 1000,
        drain: Duration::from_secs(1),
        process_id: 8,
        tls: Some(Tls {
            certificates: pem.clone().into_bytes(),
            key: certified.signing_key.serialize_pem().into_bytes(),
        }),
        public_url: None,
        operator_socket: None,
    };
    let server = Server::start(Arc::clone(&app.platform), options).expect("the server starts");
    let url = format!("https://localhost:{}", server.address().port());
    let key = app.caller().key.expect("a key");

    let trusting = Transport::url_with_authorities(&url, pem.as_bytes()).expect("a URL");
    let client = ApiClient::new(trusting).with_key(key.clone().into());
    assert_eq!(client.list_jobs(&JobsQuery::default()).await.expect("a page").jobs.len(), 0);

    let client = ApiClient::new(Transport::url(&url).expect("a URL")).with_key(key.into());
    let error = client.list_jobs(&JobsQuery::default()).await.expect_err("not trusted");
    assert!(matches!(&error, ClientError::Transport(TransportError::Unreachable { .. })), "{error}");
    server.stop().await;

    let gone = ApiClient::new(Transport::url(&url.replace("https", "http")).expect("a URL"));
    let error = gone.list_integrations().await.expect_err("nobody listens");
    assert!(error.to_string().contains("check that `tombolo serve` runs there"), "{error}");
}
