//! People are told how connections do, and mend them from a link that nobody else can use.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use secrecy::ExposeSecret as _;
use tombolo_kintone_emulator::{Effect, Fault};
use tombolo_platform::catalog::Language;
use tombolo_platform::notifications::{
    Channel, NoticeKind, RecipientChanges, RecipientDraft, ReconnectAbout,
};
use tombolo_platform::{Clock as _, Housekeeping};
use tombolo_store::testing::dump;
use tombolo_store::{Change, EndUser, Health, JobFilter, JobState};

use crate::canary::forms;
use crate::faults::tokens;
use crate::mail_server::{Mail, MailServer, PASSWORD};
use crate::oauth::{Browser, OAuthWorld, PUBLIC_URL, RECORD};
use crate::receiver::Receiver;
use crate::world::{Backend, SetForward, World, connect_to};

const CUSTOMERS: &str = "demoTokenCustomersAll0000000000000000000";
const MINUTE: Duration = Duration::from_mins(1);
const DAILY: Housekeeping =
    Housekeeping { activity: Duration::from_hours(1), verify_every: Some(Duration::from_hours(24)) };

struct Told {
    oauth: OAuthWorld,
    mail: MailServer,
    chat: Receiver,
}

impl Told {
    async fn start(backend: Backend) -> Self {
        let (mail, chat) = (MailServer::start().await, Receiver::start().await);
        let (settings, address) = (mail.settings(), chat.address.to_string());
        let oauth = OAuthWorld::start_with(backend, move |options| {
            options.mail = Some(settings);
            let mut rule = connect_to("chat.example.com", &address);
            rule.without_tls = true;
            options.egress.connect_to.push(rule);
            options.webhook_patience = Duration::from_millis(500);
        })
        .await;
        oauth.world.platform.reached_as(PUBLIC_URL);
        Self { oauth, mail, chat }
    }

    fn world(&self) -> &World {
        &self.oauth.world
    }

    fn clock(&self) -> &Arc<SetForward> {
        &self.oauth.clock
    }

    async fn recipient(&self, name: &str, channel: Channel, address: Option<&str>, language: Language) {
        let draft = RecipientDraft {
            name: name.to_owned(),
            channel,
            address: address.map(Into::into),
            language,
            kinds: Vec::new(),
        };
        self.world().platform.create_recipient(&self.world().access, draft).await.expect("a recipient");
    }

    async fn work(&self) {
        self.world().platform.work_once("worker", DAILY).await.expect("worked");
    }

    /// Lets time pass, and then does what is due.
    async fn after(&self, duration: Duration) -> Vec<Mail> {
        self.clock().by(duration);
        self.work().await;
        self.mail.got()
    }

    /// The vendor no longer knows the refresh tokens.
    async fn revoke(&self, name: &str) {
        self.clock().by(MINUTE * 61);
        self.world().kintone().revoke_refresh_tokens("demo", None, None).expect("a tenant");
        self.world().kintone().expire_access_tokens("demo", None, None).expect("a tenant");
        assert_ne!(self.world().get(name, RECORD).await.0, 200);
        assert_eq!(self.health(name).await, Health::NeedsReconnecting);
    }

    async fn health(&self, name: &str) -> Health {
        let found = self.world().platform.find_connection(&self.world().access.environment, None, name).await;
        found.expect("there").0.health
    }
}

/// The secret of a link.
fn secret(link: &str) -> &str {
    let rest = link.strip_prefix(PUBLIC_URL).and_then(|rest| rest.strip_prefix("/reconnect/")).expect(link);
    rest.split('?').next().expect("a secret")
}

/// A link without what differs between runs.
fn plain(text: &str, link: &str) -> String {
    text.replace(secret(link), "…")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_linked_again_from_a_mail(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let told = Told::start(backend).await;
    told.recipient("情シス", Channel::Mail, Some("it@example.co.jp"), Language::Ja).await;
    let first = told.oauth.linked("営業部").await;
    told.revoke("営業部").await;
    assert_eq!(told.after(Duration::ZERO).await.len(), 0, "news wait a minute for others");
    let mails = told.after(MINUTE).await;
    let [mail] = &mails[..] else { panic!("one mail: {mails:?}") };
    let link = mail.link().to_owned();
    assert_eq!(mail.to, "it@example.co.jp");
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    insta::allow_duplicates! {
        insta::assert_snapshot!(mail.subject(), @"[Tombolo] 「営業部」（kintone）の再接続が必要です");
        insta::assert_snapshot!(plain(&mail.text, &link), @r"
        「営業部」（kintone）の再接続が必要です
        再接続はこちら: http://localhost:3003/reconnect/…?language=ja

        リンクの有効期間は7日間で、1回だけ接続できます。接続に心当たりがある場合だけ開き、アカウントの持ち主以外には渡さないでください。

        Tombolo（環境: default）
        ");
    }

    // Whatever looks through mail changes nothing.
    let platform = &told.world().platform;
    for _ in 0..3 {
        let about = platform.look_at_reconnect_link(secret(&link)).await.expect("it is good");
        assert!(matches!(about, ReconnectAbout::Browser(about) if about.is_confirmed_later));
    }
    let beginning = platform.begin_reconnecting(secret(&link), PUBLIC_URL).await.expect("it begins");
    let cookie = (beginning.cookie_name, beginning.cookie.expose_secret().to_owned());
    let browser = Browser { location: beginning.location, cookies: BTreeMap::from([cookie]) };
    let parameters = told.oauth.agree(&browser, "allow").await;
    let outcome = told.oauth.return_here(&parameters, &browser.cookies).await.expect("accepted");
    assert!(outcome.handover.is_some());
    assert_eq!(told.health("営業部").await, Health::NeedsReconnecting, "nobody has confirmed it");
    let code = |outcome: Result<_, tombolo_platform::Problem>| outcome.map(drop).expect_err("over").code;
    assert_eq!(
        code(platform.look_at_reconnect_link(secret(&link)).await.map(drop)),
        "waits_for_confirmation"
    );

    // The environment's people are told, have time, and confirm.
    let mails = told.after(Duration::ZERO).await;
    let [mail] = &mails[..] else { panic!("one mail: {mails:?}") };
    let id = outcome.id.to_string();
    insta::allow_duplicates!(insta::assert_snapshot!(mail.text.replace(&id, "aut_…"), @r"
    「営業部」（kintone）に接続されたアカウントの確認をお待ちしています
    アカウントの持ち主本人に、ブラウザーに表示されたコードを確認し、10分以内に実行してください: tombolo connection confirm aut_… --code CODE
    コードはダッシュボードでも入力できます: http://localhost:3003/dashboard/default/connections/confirm

    Tombolo（環境: default）
    "));
    let confirmed = told.oauth.confirm(&id, &outcome).await.expect("confirmed");
    assert_eq!((confirmed.connection.id, confirmed.connection.health), (first.id, Health::Active));
    assert_eq!(told.world().get("営業部", RECORD).await.0, 200);
    assert_eq!(code(platform.look_at_reconnect_link(secret(&link)).await.map(drop)), "link_over");
    assert_eq!(code(platform.begin_reconnecting(secret(&link), PUBLIC_URL).await.map(drop)), "link_over");
}

/// Confirmation may be switched off in an environment, but not for a link that lies in a mailbox.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_linked_from_a_message_is_always_confirmed() {
    let told = Told::start(Backend::Sqlite).await;
    told.recipient("ops", Channel::Mail, Some("ops@example.com"), Language::En).await;
    told.oauth.linked("c").await;
    let change = tombolo_platform::EnvironmentChange {
        confirm_authorizations: Some(false),
        ..tombolo_platform::EnvironmentChange::default()
    };
    let platform = &told.world().platform;
    platform.update_environment(&told.world().access, change).await.expect("changed");
    told.revoke("c").await;
    let mails = told.after(MINUTE).await;
    let beginning = platform.begin_reconnecting(secret(mails[0].link()), PUBLIC_URL).await.expect("begun");
    let cookie = (beginning.cookie_name, beginning.cookie.expose_secret().to_owned());
    let browser = Browser { location: beginning.location, cookies: BTreeMap::from([cookie]) };
    let parameters = told.oauth.agree(&browser, "allow").await;
    // Another browser than the one that pressed the button finishes nothing.
    let stranger = told.oauth.return_here(&parameters, &BTreeMap::new()).await;
    assert_eq!(stranger.map(drop).expect_err("refused").code, "authorization_refused");
    assert_eq!(told.health("c").await, Health::NeedsReconnecting);
    let again = platform.begin_reconnecting(secret(mails[0].link()), PUBLIC_URL).await.expect("begun anew");
    let cookie = (again.cookie_name, again.cookie.expose_secret().to_owned());
    let browser = Browser { location: again.location, cookies: BTreeMap::from([cookie]) };
    let parameters = told.oauth.agree(&browser, "allow").await;
    assert!(
        told.oauth.return_here(&parameters, &browser.cookies).await.expect("accepted").handover.is_some()
    );
    assert_eq!(told.health("c").await, Health::NeedsReconnecting);
}

/// A link ends after a week, and with what it was to mend.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_in_time_and_with_its_reason() {
    let told = Told::start(Backend::Sqlite).await;
    told.recipient("ops", Channel::Mail, Some("ops@example.com"), Language::En).await;
    assert!(told.world().create(&tokens("by hand", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    told.world().kintone().revoke_token("demo", CUSTOMERS).expect("a token");
    let mails = told.after(Duration::from_hours(25)).await;
    assert_eq!(mails.len(), 0);
    told.run_verification().await;
    let mails = told.after(MINUTE * 11).await;
    let link = mails[0].link().to_owned();
    let about = told.world().platform.look_at_reconnect_link(secret(&link)).await.expect("it is good");
    let ReconnectAbout::ByHand { name, command, .. } = about else { panic!("tokens are typed") };
    assert_eq!(name, "by hand");
    assert!(command.starts_with("tombolo connection update con_"), "{command}");
    let problem = told.world().platform.begin_reconnecting(secret(&link), PUBLIC_URL).await;
    assert_eq!(problem.map(drop).expect_err("no browser").code, "typed_by_hand");
    told.clock().by(Duration::from_hours(7 * 24));
    let over = told.world().platform.look_at_reconnect_link(secret(&link)).await;
    assert_eq!(over.map(drop).expect_err("over").code, "link_over");
}

impl Told {
    async fn run_verification(&self) {
        let job = tombolo_store::NewJob {
            environment_id: None,
            kind: "verification".to_owned(),
            payload: serde_json::json!({}),
            run_at: self.clock().now(),
            max_attempts: 1,
            idempotency_key: None,
        };
        let store = self.world().platform.store();
        store.commit(&[Change::EnqueueJob(job)], self.clock().now()).await.expect("enqueued");
        self.work().await;
    }
}

/// Three connections fail with one outage, and flap for six hours.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_together_is_told_together_and_what_flaps_once_an_hour(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let told = Told::start(backend).await;
    told.recipient("ops", Channel::Mail, Some("ops@example.com"), Language::En).await;
    let names = ["a", "b", "c"];
    for name in names {
        assert!(told.world().create(&tokens(name, CUSTOMERS, "1")).await.expect("accepted").is_ok());
    }
    let (platform, access) = (&told.world().platform, &told.world().access);
    let test = async || {
        for name in names {
            platform.test_connection(access, None, name, &mut |_| {}).await.expect("tested");
        }
    };
    let (mut minute, mut mails) = (0, Vec::new());
    for _ in 0..18 {
        for (minutes, fails) in [(12, true), (8, false)] {
            if fails {
                told.world().kintone().inject(Fault::new(Effect::Maintenance));
            } else {
                told.world().kintone().clear_faults();
            }
            test().await;
            for _ in 0..minutes {
                minute += 1;
                let got = told.after(MINUTE).await;
                mails.extend(got.iter().map(|mail| {
                    let about = |text| mail.text.matches(text).count();
                    format!("{minute}: {} failed, {} work", about("has failed"), about("works again"))
                }));
            }
        }
    }
    insta::allow_duplicates!(insta::assert_snapshot!(mails.join("\n"), @r"
    10: 3 failed, 0 work
    73: 0 failed, 3 work
    90: 3 failed, 0 work
    153: 0 failed, 3 work
    170: 3 failed, 0 work
    233: 0 failed, 3 work
    250: 3 failed, 0 work
    313: 0 failed, 3 work
    330: 3 failed, 0 work
    "));
}

/// A chat's address is a secret: it is sealed, and in no answer, log or audit event.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn chats_are_told_in_their_own_format(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let told = Told::start(backend).await;
    for (name, channel) in [
        ("slack", Channel::Slack),
        ("teams", Channel::Teams),
        ("discord", Channel::Discord),
        ("program", Channel::Json),
    ] {
        let url = format!("https://chat.example.com/{name}/MARKER-chat-secret-0815");
        told.recipient(name, channel, Some(&url), Language::En).await;
    }
    let draft = tokens("<!channel> [x](https://evil.example)", CUSTOMERS, "1");
    assert!(told.world().create(&draft).await.expect("accepted").is_ok());
    told.world().kintone().revoke_token("demo", CUSTOMERS).expect("a token");
    told.clock().by(Duration::from_hours(25));
    told.run_verification().await;
    told.after(MINUTE * 11).await;
    let mut got = told.chat.got();
    got.sort_by(|one, two| one.path.cmp(&two.path));
    let shown: Vec<String> = got
        .iter()
        .map(|delivery| {
            let body = delivery.json();
            let text = body.to_string();
            let start = text.find("/reconnect/").expect("a link") + "/reconnect/".len();
            let end = start + 43;
            let id = text.find("con_").map(|at| text[at..at + 36].to_owned());
            let text = text.replace(&text[start..end], "…");
            let text = id.map_or(text.clone(), |id| text.replace(&id, "con_…"));
            format!("{}\n{text}", delivery.path)
        })
        .collect();
    insta::allow_duplicates!(insta::assert_snapshot!(shown.join("\n"), @r#"
    /discord/MARKER-chat-secret-0815
    {"content":"“<!channel> \\[x\\](https:/ /evil.example)” (Kintone) has failed for a while\nKintone does not know the API token of app 1. Most often the app was not updated after the token was made. Open app 1, App settings, API token, check the token, choose Save and then Update app.\nIt is tried again by itself, and you are told when it works.\nLink the account again: http://localhost:3003/reconnect/…?language=en\n\nA link is good for 7 days and for one account. Open it only if you know the connection, and pass it on to nobody but the person whose account it is.\n\nTombolo, environment default","allowed_mentions":{"parse":[]}}
    /program/MARKER-chat-secret-0815
    {"subject":"[Tombolo] “<!channel> [x](https:/ /evil.example)” (Kintone) has failed for a while","text":"“<!channel> [x](https:/ /evil.example)” (Kintone) has failed for a while\nKintone does not know the API token of app 1. Most often the app was not updated after the token was made. Open app 1, App settings, API token, check the token, choose Save and then Update app.\nIt is tried again by itself, and you are told when it works.\nLink the account again: http://localhost:3003/reconnect/…?language=en\n\nA link is good for 7 days and for one account. Open it only if you know the connection, and pass it on to nobody but the person whose account it is.\n\nTombolo, environment default\n","connections":[{"id":"con_…","name":"<!channel> [x](https://evil.example)","provider":"kintone","kind":"failing","days_left":null,"link":"http://localhost:3003/reconnect/…?language=en"}]}
    /slack/MARKER-chat-secret-0815
    {"text":"“&lt;!channel&gt; [x](https:/ /evil.example)” (Kintone) has failed for a while\nKintone does not know the API token of app 1. Most often the app was not updated after the token was made. Open app 1, App settings, API token, check the token, choose Save and then Update app.\nIt is tried again by itself, and you are told when it works.\nLink the account again: http://localhost:3003/reconnect/…?language=en\n\nA link is good for 7 days and for one account. Open it only if you know the connection, and pass it on to nobody but the person whose account it is.\n\nTombolo, environment default"}
    /teams/MARKER-chat-secret-0815
    {"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null,"content":{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","type":"AdaptiveCard","version":"1.4","body":[{"type":"TextBlock","text":"“<!channel> \\[x\\](https:/ /evil.example)” (Kintone) has failed for a while\nKintone does not know the API token of app 1. Most often the app was not updated after the token was made. Open app 1, App settings, API token, check the token, choose Save and then Update app.\nIt is tried again by itself, and you are told when it works.\nLink the account again: http://localhost:3003/reconnect/…?language=en","wrap":true},{"type":"TextBlock","text":"A link is good for 7 days and for one account. Open it only if you know the connection, and pass it on to nobody but the person whose account it is.","wrap":true},{"type":"TextBlock","text":"Tombolo, environment default","wrap":true}]}}]}
    "#));

    let all = told.world().platform.list_recipients(&told.world().access).await.expect("listed");
    assert!(all.iter().all(|known| known.address == "chat.example.com"), "{all:?}");
    let dumped = dump(&told.world().location()).await;
    for form in forms("MARKER-chat-secret-0815") {
        let found = dumped.windows(form.len()).any(|window| window == form.as_bytes());
        assert!(!found, "the address of a chat is in the database");
    }
}

/// A message that is not taken is tried again, and is seen among the jobs when it is given up.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_tried_again() {
    let told = Told::start(Backend::Sqlite).await;
    told.recipient("ops", Channel::Mail, Some("ops@example.com"), Language::En).await;
    assert!(told.world().create(&tokens("c", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    told.world().kintone().revoke_token("demo", CUSTOMERS).expect("a token");
    told.clock().by(Duration::from_hours(25));
    told.mail.refuse(Some("451 later"));
    told.run_verification().await;
    assert_eq!(told.after(MINUTE * 11).await.len(), 0);
    let filter = JobFilter { kind: Some("notification".to_owned()), ..JobFilter::default() };
    let environment = &told.world().access.environment;
    let jobs = told.world().platform.store().jobs(environment, &filter, None, 10).await.expect("read");
    assert_eq!(jobs[0].state, JobState::Queued);
    assert!(jobs[0].last_error.as_deref().is_some_and(|error| error.contains("451")), "{jobs:?}");
    told.mail.refuse(None);
    assert_eq!(told.after(Duration::from_hours(1)).await.len(), 1);
    assert_eq!(told.after(Duration::from_hours(1)).await.len(), 0, "once");
}

/// What a recipient does not want to hear still ends what it was told: what is bad anew is told anew, what is over is not.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_wants_only_bad_news_hears_of_every_failure_that_lasts(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let told = Told::start(backend).await;
    let draft = RecipientDraft {
        name: "ops".to_owned(),
        channel: Channel::Mail,
        address: Some("ops@example.com".into()),
        language: Language::En,
        kinds: vec![NoticeKind::Failing],
    };
    told.world().platform.create_recipient(&told.world().access, draft).await.expect("a recipient");
    assert!(told.world().create(&tokens("c", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    let (platform, access) = (&told.world().platform, &told.world().access);
    let test = async || drop(platform.test_connection(access, None, "c", &mut |_| {}).await.expect("tested"));
    let mut mails = Vec::new();
    for lasts in [1, 12, 1, 12] {
        told.world().kintone().inject(Fault::new(Effect::Maintenance));
        test().await;
        let mut count = 0;
        for _ in 0..lasts {
            count += told.after(MINUTE).await.len();
        }
        told.world().kintone().clear_faults();
        test().await;
        for _ in 0..90 {
            count += told.after(MINUTE).await.len();
        }
        mails.push(format!("{lasts} minutes: {count}"));
    }
    assert_eq!(mails, ["1 minutes: 0", "12 minutes: 1", "1 minutes: 0", "12 minutes: 1"]);
}

/// A message that is not taken is tried for about a day.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_given_up_after_about_a_day() {
    let told = Told::start(Backend::Sqlite).await;
    told.recipient("ops", Channel::Mail, Some("ops@example.com"), Language::En).await;
    assert!(told.world().create(&tokens("c", CUSTOMERS, "1")).await.expect("accepted").is_ok());
    told.world().kintone().revoke_token("demo", CUSTOMERS).expect("a token");
    told.clock().by(Duration::from_hours(25));
    told.mail.refuse(Some("451 later"));
    told.run_verification().await;
    let began = told.clock().now();
    let filter = JobFilter { kind: Some("notification".to_owned()), ..JobFilter::default() };
    let environment = &told.world().access.environment;
    loop {
        let jobs = told.world().platform.store().jobs(environment, &filter, None, 10).await.expect("read");
        if jobs[0].state == JobState::Dead {
            break;
        }
        told.after(jobs[0].due_at.since(told.clock().now())).await;
    }
    let hours = told.clock().now().since(began).as_secs() / 3600;
    assert!((20..28).contains(&hours), "{hours} hours");
}

/// A wrong password, or a sender that is not allowed, is the operator's to put right: nobody's news are dropped for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_user_is_given_up_only_when_the_mailbox_is_to_blame() {
    for (sender, mailbox, mails) in [
        (Some("535 5.7.8 authentication failed"), None, 1),
        (Some("530 authenticate first"), None, 1),
        (Some("553 5.1.8 no such sender"), None, 1),
        (Some("550 not with us"), None, 1),
        (None, Some("554 5.7.1 relay access denied"), 1),
        (None, Some("550 who?"), 1),
        (None, Some("550 5.1.1 who?"), 0),
        (None, Some("550 5.2.1 closed"), 0),
    ] {
        let told = Told::start(Backend::Sqlite).await;
        told.recipient("owners", Channel::EndUserMail, None, Language::En).await;
        let mut draft = tokens("anna", CUSTOMERS, "1");
        draft.belonging.end_user = Some(EndUser {
            id: "anna".to_owned(),
            display_name: None,
            email: Some("anna@example.com".to_owned()),
            tags: BTreeMap::new(),
            organization: None,
        });
        assert!(told.world().create(&draft).await.expect("accepted").is_ok());
        told.world().kintone().revoke_token("demo", CUSTOMERS).expect("a token");
        told.clock().by(Duration::from_hours(25));
        told.mail.refuse_sender(sender);
        told.mail.refuse(mailbox);
        told.run_verification().await;
        assert_eq!(told.after(MINUTE * 11).await.len(), 0);
        told.mail.refuse_sender(None);
        told.mail.refuse(None);
        let got = told.after(Duration::from_hours(1)).await;
        assert_eq!(got.len(), mails, "{sender:?} {mailbox:?}");
    }
}

/// The person whom an account belongs to is told in their own language, and nobody else about it.
#[tokio::test(flavor = "multi_thread")]
async fn end_users_are_told_about_their_own_connections() {
    let told = Told::start(Backend::Sqlite).await;
    told.recipient("owners", Channel::EndUserMail, None, Language::En).await;
    for (name, email, language) in [
        ("anna", Some("anna@example.com"), None),
        ("hanako", Some("hanako@example.co.jp"), Some("ja-JP")),
        ("nobody", None, None),
    ] {
        let mut draft = tokens(name, CUSTOMERS, "1");
        let tags = language.map(|language| ("language".to_owned(), language.to_owned()));
        draft.belonging.end_user = Some(EndUser {
            id: name.to_owned(),
            display_name: None,
            email: email.map(str::to_owned),
            tags: tags.into_iter().collect(),
            organization: None,
        });
        assert!(told.world().create(&draft).await.expect("accepted").is_ok());
    }
    told.world().kintone().revoke_token("demo", CUSTOMERS).expect("a token");
    told.clock().by(Duration::from_hours(25));
    told.run_verification().await;
    let mut mails: Vec<String> =
        told.after(MINUTE * 11).await.iter().map(|mail| format!("{}: {}", mail.to, mail.subject())).collect();
    mails.sort();
    insta::assert_snapshot!(mails.join("\n"), @r"
    anna@example.com: [Tombolo] “anna” (Kintone) has failed for a while
    hanako@example.co.jp: [Tombolo] 「hanako」（kintone）でエラーが続いています
    ");
}

/// The server proves who it is before it gets the password, and the password stands nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_over_tls_with_an_account() {
    let server = MailServer::strict().await;
    let settings = server.settings();
    let mut untrusted = settings.clone();
    untrusted.authorities = None;
    for (settings, expected) in [(settings, Ok("tombolo")), (untrusted, Err("not_told"))] {
        let world = World::start_with(|options, _| options.mail = Some(settings)).await;
        let draft = RecipientDraft {
            name: "ops".to_owned(),
            channel: Channel::Mail,
            address: Some("ops@example.com".into()),
            language: Language::En,
            kinds: vec![NoticeKind::Failing],
        };
        world.platform.create_recipient(&world.access, draft).await.expect("made");
        let outcome = world.platform.test_recipient(&world.access, "ops").await;
        let got = server.got();
        match expected {
            Ok(user) => {
                outcome.expect("taken");
                assert_eq!((got[0].was_protected, got[0].authenticated.as_deref()), (true, Some(user)));
            }
            Err(code) => {
                let problem = outcome.expect_err("an untrusted server gets nothing");
                assert_eq!((problem.code, got.len()), (code, 0));
                assert!(!problem.to_string().contains(PASSWORD), "{problem}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_are_checked_changed_and_deleted() {
    let told = Told::start(Backend::Sqlite).await;
    let (platform, access) = (&told.world().platform, &told.world().access);
    let mut refused = Vec::new();
    for (channel, address) in [
        (Channel::Mail, Some("ops")),
        (Channel::Mail, Some("ops@example.com\r\nBcc: all@example.com")),
        (Channel::Mail, None),
        (Channel::EndUserMail, Some("ops@example.com")),
        (Channel::Slack, Some("http://chat.example.com/x")),
        (Channel::Slack, Some("https://127.0.0.1/x")),
        (Channel::Slack, Some("https://10.0.0.5/x")),
        (Channel::Slack, Some("chat.example.com")),
    ] {
        let draft = RecipientDraft {
            name: "x".to_owned(),
            channel,
            address: address.map(Into::into),
            language: Language::En,
            kinds: Vec::new(),
        };
        let problem = platform.create_recipient(access, draft).await.map(drop).expect_err("refused");
        refused.push(format!(
            "{channel} {}: {}",
            address.unwrap_or("-").escape_debug(),
            problem.fields[0].code
        ));
    }
    insta::assert_snapshot!(refused.join("\n"), @r"
    mail ops: invalid_address
    mail ops@example.com\r\nBcc: all@example.com: invalid_address
    mail -: required
    end_user_mail ops@example.com: not_needed
    slack http://chat.example.com/x: address_refused
    slack https://127.0.0.1/x: address_refused
    slack https://10.0.0.5/x: address_refused
    slack chat.example.com: address_refused
    ");
    told.recipient("ops", Channel::Mail, Some("ops@example.com"), Language::En).await;
    let change = RecipientChanges {
        address: Some("night@example.com".into()),
        language: Some(Language::Ja),
        enabled: Some(false),
        ..RecipientChanges::default()
    };
    let changed = platform.update_recipient(access, "ops", change).await.expect("changed");
    assert_eq!((changed.address.as_str(), changed.language.as_str()), ("night@example.com", "ja"));
    assert!(changed.disabled_at.is_some());
    told.oauth.linked("c").await;
    told.revoke("c").await;
    assert_eq!(told.after(MINUTE).await.len(), 0, "it is disabled");
    platform.delete_recipient(access, "ops").await.expect("deleted");
    assert!(platform.list_recipients(access).await.expect("listed").is_empty());
}
