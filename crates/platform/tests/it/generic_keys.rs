//! The generic ways to authenticate, each with a provider file of its own: a key in a header, a key in the query, HTTP
//! Basic, and a bearer token. Linked by test, called through the proxy, watched at the vendor.

use std::fmt::Write as _;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, Method};
use tombolo_catalog::{Catalog, Provider};
use tombolo_kintone_emulator::{AcceptedCredential, Control, Effect, Fault, Simulator, SimulatorOptions};
use tombolo_platform::ConnectionDraft;
use tombolo_platform::start::ConnectToOption;
use tombolo_store::ActivityFilter;
use tombolo_store::testing::dump;

use crate::canary::forms;
use crate::verdicts::told;
use crate::world::{World, call_with, connect_to, draft};

/// Needs percent-encoding in a query, and stands nowhere else.
const SECRET: &str = "canary+generic/key&4711=";
const WRONG: &str = "canary+generic/key&wrong=";

/// One way to authenticate.
struct Case {
    id: &'static str,
    /// The auth scheme in the file, without its fields.
    scheme: &'static str,
    has_username: bool,
    /// How the request line ends and which header there is when the credential stands where the vendor wants it.
    query: &'static str,
    header: Option<(&'static str, &'static str)>,
    /// What a caller may try to send in the place of the credential.
    own: Own,
}

enum Own {
    Header(&'static str, &'static str),
    Query(&'static str),
}

const CASES: [Case; 5] = [
    Case {
        id: "acme-header",
        scheme: "type: api_key\n    header: X-Acme-Key",
        has_username: false,
        query: "page=2",
        header: Some(("x-acme-key", "canary+generic/key&4711=")),
        own: Own::Header("X_Acme_Key", "callers-own"),
    },
    Case {
        id: "acme-query",
        scheme: "type: api_key\n    query: acme_key",
        has_username: false,
        query: "page=2&acme%5Fkey=canary%2Bgeneric%2Fkey%264711%3D",
        header: None,
        own: Own::Query("acme%5Fkey=callers-own&ACME_KEY=callers-own&page=2&acme_key=callers-own"),
    },
    Case {
        id: "acme-query-prefix",
        scheme: "type: api_key\n    query: auth\n    prefix: 'key '",
        has_username: false,
        query: "page=2&auth=key%20canary%2Bgeneric%2Fkey%264711%3D",
        header: None,
        own: Own::Query("page=2&auth[]=callers-own;auth=callers-own"),
    },
    Case {
        id: "acme-basic",
        scheme: "type: basic",
        has_username: true,
        query: "page=2",
        header: Some(("authorization", "Basic cm9ib3Q6Y2FuYXJ5K2dlbmVyaWMva2V5JjQ3MTE9")),
        own: Own::Header("Authorization", "Basic Y2FsbGVyczpvd24="),
    },
    Case {
        id: "acme-bearer",
        scheme: "type: api_key\n    header: Authorization\n    prefix: 'Bearer '",
        has_username: false,
        query: "page=2",
        header: Some(("authorization", "Bearer canary+generic/key&4711=")),
        own: Own::Header("Authorization", "Bearer callers-own"),
    },
];

impl Case {
    /// The smallest provider file with this scheme.
    fn file(&self) -> String {
        let username = "      username:\n        label: { en: User name, ja: ユーザー名 }\n";
        format!(
            "id: {id}
name: {{ en: Acme, ja: Acme }}
description: {{ en: Orders of Acme., ja: Acmeの注文を扱います。 }}
documentation: https://developers.acme.example/
hosts: ['{{subdomain}}.acme.example']
base_url: https://${{config.subdomain}}.acme.example/api
config:
  subdomain:
    label: {{ en: Subdomain, ja: サブドメイン }}
    pattern: '[a-z0-9-]+'
    example: north
auth:
  - id: key
    name: {{ en: Key, ja: キー }}
    {scheme}
    fields:
{username}      key:
        label: {{ en: Key, ja: キー }}
        secret: true
        fold: false
test:
  - id: credential
    name: {{ en: The key is accepted, ja: キーが受け付けられる }}
    request: {{ path: /v2/me }}
    accept: {{ member: id }}
errors:
  - is: key_refused
    side: input
    statuses: [401]
    says: {{ en: Acme refused the key., ja: キーが受け付けられませんでした。 }}
    fix: {{ en: Check that it was copied whole., ja: キー全体をコピーしたか確認してください。 }}
",
            id = self.id,
            scheme = self.scheme,
            username = if self.has_username { username } else { "" },
        )
    }

    fn draft(&self, name: &str, key: &str) -> ConnectionDraft {
        let fields = [("subdomain", "north"), ("key", key), ("username", "robot")];
        let fields = if self.has_username { &fields[..] } else { &fields[..2] };
        ConnectionDraft { integration: self.id.to_owned(), ..draft(name, "key", fields) }
    }

    /// The vendor, and a platform that has the file in its provider directory and reaches the vendor by its name.
    async fn start(&self) -> (World, Simulator) {
        let name = format!("{}.yaml", self.id);
        let text = self.file();
        let catalog = Catalog::with_files([(name.as_str(), text.as_str())]);
        let catalog = catalog.unwrap_or_else(|faults| panic!("{faults:#?}"));
        let provider: Arc<Provider> = Arc::clone(catalog.get(self.id).expect("it was read"));
        let mut fields = self.draft("", SECRET).fields;
        fields.remove("subdomain");
        let fields = fields.into_iter().map(|(name, value)| (name, expose(&value))).collect();
        let accepted = AcceptedCredential { scheme: "key".to_owned(), fields };
        let simulator = Simulator::start(SimulatorOptions {
            credentials: vec![accepted],
            ..SimulatorOptions::new(provider)
        })
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", self.id));
        let world = World::start_with(|options, _| {
            let directory = options.data_directory.with_file_name("providers");
            std::fs::create_dir(&directory).expect("made");
            std::fs::write(directory.join(name), text).expect("written");
            options.provider_directory = Some(directory);
            let address = simulator.https_address().expect("TLS").to_string();
            options.egress.connect_to = vec![ConnectToOption {
                authority: simulator.certificate_authority_pem().map(str::to_owned),
                ..connect_to(simulator.host(), &address)
            }];
        })
        .await;
        (world, simulator)
    }

    /// The query and the credential header of the only request that has arrived.
    fn seen(&self, vendor: &Control) -> (String, Option<String>) {
        let requests = vendor.requests();
        let [seen] = &requests[..] else { panic!("{}: one request, not {}", self.id, requests.len()) };
        assert!(!format!("{seen:?}").contains("callers"), "{}: {seen:?}", self.id);
        vendor.clear_requests();
        (seen.query.clone(), self.header.and_then(|(name, _)| Some(seen.header(name)?.to_owned())))
    }

    fn expected(&self) -> (String, Option<String>) {
        (self.query.to_owned(), self.header.map(|(_, value)| value.to_owned()))
    }
}

fn expose(value: &secrecy::SecretString) -> String {
    secrecy::ExposeSecret::expose_secret(value).to_owned()
}

/// A call with further headers: status, headers of the answer and body.
async fn call(world: &World, target: &str, headers: HeaderMap) -> (u16, HeaderMap, serde_json::Value) {
    let line = (Method::GET, target, headers, "");
    call_with(&world.platform, &world.lane, &world.access, "linked", line).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generic_key_is_linked_by_test_and_stands_where_the_vendor_wants_it() {
    for case in &CASES {
        let (world, simulator) = case.start().await;
        let vendor = simulator.control();
        let mut answers = String::new();

        let wrong = world.create(&case.draft("wrong", WRONG)).await.expect("accepted");
        let report = wrong.err().unwrap_or_else(|| panic!("{}: a wrong key was stored", case.id));
        assert_eq!(told(&report), "credential: key_refused (Input)", "{}", case.id);
        write!(answers, "{report:?}").expect("text");

        let linked = world.create(&case.draft("linked", SECRET)).await.expect("accepted");
        let linked = linked.unwrap_or_else(|report| panic!("{}: {report:#?}", case.id));
        write!(answers, "{:?} {:?}", linked.connection, linked.report).expect("text");
        vendor.clear_requests();

        let (status, headers, echo) = call(&world, "/things?page=2", HeaderMap::new()).await;
        assert_eq!((status, &echo["path"]), (200, &"/api/things".into()), "{}: {echo}", case.id);
        assert_eq!(case.seen(&vendor), case.expected(), "{}", case.id);
        write!(answers, "{headers:?} {echo}").expect("text");

        let mut own = HeaderMap::new();
        let target = match case.own {
            Own::Header(name, value) => {
                own.insert(name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"));
                "/things?page=2".to_owned()
            }
            Own::Query(query) => format!("/things?{query}"),
        };
        let (status, headers, echo) = call(&world, &target, own).await;
        assert_eq!(status, 200, "{}: {echo}", case.id);
        assert_eq!(case.seen(&vendor), case.expected(), "{}", case.id);
        write!(answers, "{headers:?} {echo}").expect("text");

        vendor.inject(Fault::new(Effect::status(500)));
        let (status, headers, body) = call(&world, "/things?page=2", HeaderMap::new()).await;
        assert_eq!(status, 500, "{}", case.id);
        write!(answers, "{headers:?} {body}").expect("text");

        world.platform.flush_activity().await;
        let filter = ActivityFilter::default();
        let calls = world.platform.list_activity(&world.access, None, filter, None, 100).await;
        write!(answers, "{calls:?}").expect("text");
        assert!(answers.contains("/things?page"), "{}: the calls are in the log", case.id);
        let stored = dump(&world.location()).await;
        for secret in [SECRET, WRONG] {
            for form in forms(secret) {
                assert!(!answers.contains(&form), "{}: {form} in {answers}", case.id);
                let found = stored.windows(form.len()).any(|window| window == form.as_bytes());
                assert!(!found, "{}: {form} in the database", case.id);
            }
        }
        simulator.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_key_is_found_where_the_vendors_client_puts_its_key() {
    let ours = "tmb_000000000000_ours";
    for case in &CASES {
        let (world, _vendor) = case.start().await;
        let key = |headers: &HeaderMap, query: Option<&str>| {
            let found = world.platform.caller_key(case.id, headers, query).expect("one key");
            found.map(|key| key.to_string())
        };
        let mut headers = HeaderMap::new();
        let query = match (case.header, case.query.split_once('&')) {
            (Some((name, value)), _) => {
                let prefix = value.strip_suffix(SECRET).unwrap_or("Bearer ");
                headers.insert(name, format!("{prefix}{ours}").parse().expect("a value"));
                None
            }
            (None, Some((_, pair))) => {
                let start = pair.find("canary").expect("the key");
                Some(format!("page=2&{}{ours}", &pair[..start]))
            }
            (None, None) => panic!("{}: neither header nor query", case.id),
        };
        assert_eq!(key(&headers, query.as_deref()).as_deref(), Some(ours), "{}", case.id);
        assert_eq!(key(&HeaderMap::new(), Some("page=2&token=tmb_else")), None, "{}", case.id);
        // With a provider that has no key in the query it would go on to the vendor.
        let kintone = world.platform.caller_key("kintone", &HeaderMap::new(), query.as_deref());
        assert_eq!(kintone.expect("no key").as_deref(), None, "{}", case.id);
    }
}
