//! Signing in with an identity provider: whom it lets in, and what no provider and nobody in between can do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tombolo_platform::start::ConnectToOption;
use tombolo_platform::users::{
    BegunIdentification, Browser, ChosenPassword, FirstAdministrator, Identified, Invitation, OidcSettings,
    ProviderAnswer, Role, RoleRules, SignedInUser,
};
use tombolo_platform::{Platform, Problem};
use tombolo_store::testing::dump;

use crate::identity_provider::{Algorithm, IdentityProvider, Lie, SECRET, settings};
use crate::world::{Backend, SetForward, World};

const PUBLIC_URL: &str = "https://tombolo.example.com";
/// Markers: secrets that occur nowhere else.
const PASSWORD: &str = "canary password of Anna";

/// A platform with an identity provider, and its first administrator.
struct Scene {
    world: World,
    provider: IdentityProvider,
    clock: Arc<SetForward>,
    anna: SignedInUser,
}

impl Scene {
    async fn start(backend: Backend, change: impl FnOnce(&mut OidcSettings)) -> Self {
        let provider = IdentityProvider::start().await;
        let clock = Arc::new(SetForward::default());
        let mut settings = settings();
        change(&mut settings);
        let world = World::start_changed(backend, |options, _| {
            options.clock = Arc::clone(&clock) as _;
            options.oidc = Some(settings);
            options.egress.connect_to.push(ConnectToOption {
                host: "login.example.com".to_owned(),
                address: provider.address,
                authority: None,
                browser_address: None,
                without_tls: true,
            });
        })
        .await;
        let platform = &world.platform;
        let token = platform.new_set_up_token().await.expect("made").expect("nobody is there yet");
        let first = FirstAdministrator {
            login: "anna@example.com".to_owned(),
            display_name: String::new(),
            password: PASSWORD.into(),
        };
        let (sign_in, _) = platform.set_up(&token, &first, &here()).await.expect("set up");
        let anna = signed_in(platform, &sign_in).await.expect("signed in");
        Self { world, provider, clock, anna }
    }

    fn platform(&self) -> &Arc<Platform> {
        &self.world.platform
    }

    async fn begin(&self, linking: Option<&SignedInUser>) -> Result<BegunIdentification, Problem> {
        self.platform().begin_identification(PUBLIC_URL, "/jobs", linking, &here()).await
    }

    /// What the browser brings back that was sent to the provider.
    fn visit(&self, begun: &BegunIdentification) -> BTreeMap<String, String> {
        self.provider.visit(&begun.location, self.platform().now().as_milliseconds() / 1000)
    }

    async fn finish(
        &self,
        parameters: &BTreeMap<String, String>,
        cookie: Option<&SecretString>,
        signed_in: Option<&SignedInUser>,
    ) -> Result<Identified, Problem> {
        let answer = ProviderAnswer {
            parameters,
            cookie: cookie.map(SecretString::expose_secret),
            public_url: PUBLIC_URL,
            signed_in,
            browser: &here(),
        };
        self.platform().finish_identification(answer).await
    }

    /// All the way, as one browser goes it.
    async fn go(&self, linking: Option<&SignedInUser>) -> Result<Identified, Problem> {
        let begun = self.begin(linking).await?;
        let back = self.visit(&begun);
        self.finish(&back, Some(&begun.cookie), linking).await
    }

    /// Who is signed in then, or why nobody is.
    async fn sign_in(&self) -> Result<SignedInUser, &'static str> {
        match self.go(None).await {
            Ok(Identified::SignedIn { token, return_path }) => {
                assert_eq!(return_path, "/jobs");
                Ok(signed_in(self.platform(), &token).await.expect("signed in"))
            }
            Ok(Identified::Linked { .. }) => panic!("nobody links an account"),
            Err(problem) => Err(problem.code),
        }
    }

    async fn invite(&self, login: &str, role: Role) -> SecretString {
        let invitation = Invitation { login: login.to_owned(), display_name: String::new(), role };
        self.platform().invite_user(&self.world.access, &invitation).await.expect("invited").secret
    }

    /// What the trail has about people, oldest first.
    async fn trail(&self) -> Vec<String> {
        let platform = self.platform();
        platform.chain_audit("test").await.expect("chained");
        let text = String::from_utf8_lossy(&dump(&self.world.location()).await).into_owned();
        ["user.joined", "user.linked", "user.unlinked", "user.role_changed", "user.sign_in_refused"]
            .iter()
            .filter(|action| text.contains(**action))
            .map(|action| (*action).to_owned())
            .collect()
    }
}

fn here() -> Browser {
    Browser { name: "Firefox on Linux".to_owned(), address: None }
}

async fn signed_in(platform: &Arc<Platform>, token: &SecretString) -> Option<SignedInUser> {
    platform.signed_in_user(token.expose_secret()).await.expect("looked up")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_invited_signs_in_with_the_provider(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let scene = Scene::start(backend, |_| {}).await;
    let link = scene.invite("Ben@Example.com", Role::Member).await;
    scene.provider.knows(json!({ "sub": "7", "email": "ben@example.com", "email_verified": true }));
    let ben = scene.sign_in().await.expect("signed in");
    assert_eq!((ben.user.login.as_str(), ben.user.role), ("Ben@Example.com", Role::Member));
    assert_eq!(ben.user.identity.as_ref().map(|identity| identity.subject.as_str()), Some("7"));

    // The link of the invitation would be a second way into the same account.
    let chosen = ChosenPassword { display_name: String::new(), password: PASSWORD.into() };
    let late = scene.platform().choose_password(&link, &chosen, &here()).await;
    assert_eq!(late.map(drop).expect_err("it has ended").code, "unknown_link");

    // From now on it is the subject that counts, whatever the address becomes.
    scene.provider.knows(json!({ "sub": "7", "email": "other@example.com" }));
    assert_eq!(scene.sign_in().await.expect("signed in").user.id, ben.user.id);
    assert_eq!(scene.trail().await, ["user.linked"]);
    let stored = dump(&scene.world.location()).await;
    assert!(!stored.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_providers_word_lets_nobody_in() {
    let scene = Scene::start(Backend::Sqlite, |settings| settings.roles.default = Some(Role::Member)).await;
    let ben = json!({ "sub": "7", "email": "ben@example.com", "email_verified": true });
    scene.provider.knows(ben.clone());
    let refused = "oidc_token_refused";
    for (lie, expected) in [
        (Lie::OtherDescription, "oidc_misconfigured"),
        (Lie::Down, "oidc_unreachable"),
        (Lie::OtherIssuer, refused),
        (Lie::OtherAudience, refused),
        (Lie::NoParty, refused),
        (Lie::OtherParty, refused),
        (Lie::OtherNonce, refused),
        (Lie::NoNonce, refused),
        (Lie::Ended, "oidc_clocks_apart"),
        (Lie::Early, "oidc_clocks_apart"),
        (Lie::Endless, refused),
        (Lie::Nameless, refused),
        (Lie::LongName, refused),
        (Lie::Unsigned, refused),
        (Lie::SignedWithPublicKey, refused),
        (Lie::UnknownKey, refused),
        (Lie::StolenName, refused),
        (Lie::KeyInHeader, refused),
        (Lie::Critical, refused),
        (Lie::Spliced, refused),
        (Lie::NoIdToken, refused),
        (Lie::Garbage, refused),
        (Lie::OtherIssuerInBrowser, refused),
        (Lie::NoIssuerInBrowser, refused),
    ] {
        scene.provider.lie(Some(lie));
        assert_eq!(scene.sign_in().await.map(drop), Err(expected), "{lie:?}");
    }
    // An RSA key is the classic of those that are taken for a secret.
    scene.provider.change_key(Algorithm::Rs256);
    scene.provider.lie(Some(Lie::SignedWithPublicKey));
    assert_eq!(scene.sign_in().await.map(drop), Err(refused));
    // What it tells beside the token is about the same person, or about nobody.
    scene.provider.knows(json!({ "sub": "7" }));
    scene.provider.tells_later(json!({ "email": "anna@example.com", "email_verified": true }));
    scene.provider.lie(Some(Lie::OtherUserInfo));
    assert_eq!(scene.sign_in().await.map(drop), Err(refused));
    assert_eq!(scene.platform().list_users(&scene.world.access).await.expect("listed").len(), 1);

    scene.provider.knows(ben);
    scene.provider.lie(None);
    assert_eq!(scene.sign_in().await.expect("signed in").user.login, "ben@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_kind_are_read_again_when_they_change() {
    let scene = Scene::start(Backend::Sqlite, |settings| settings.roles.default = Some(Role::Member)).await;
    scene.provider.knows(json!({ "sub": "7" }));
    for (number, algorithm) in
        [Algorithm::Es256, Algorithm::Rs256, Algorithm::Ps256, Algorithm::EdDsa].into_iter().enumerate()
    {
        scene.provider.change_key(algorithm);
        for _ in 0..2 {
            scene.sign_in().await.unwrap_or_else(|code| panic!("{algorithm:?}: {code}"));
        }
        assert_eq!(scene.provider.asked("/keys"), number + 1, "{algorithm:?}");
    }
    scene.provider.lie(Some(Lie::UnknownKey));
    assert_eq!(scene.sign_in().await.map(drop), Err("oidc_token_refused"));
    assert_eq!(scene.provider.asked("/keys"), 5, "an unknown key is looked for once");
    assert_eq!(scene.provider.asked("/.well-known/openid-configuration"), 1);
    scene.provider.lie(None);
    scene.clock.by(Duration::from_mins(61));
    scene.sign_in().await.expect("signed in");
    assert_eq!(scene.provider.asked("/.well-known/openid-configuration"), 2, "nothing is believed for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_good_once_in_time_and_in_the_browser_that_began() {
    let scene = Scene::start(Backend::Sqlite, |settings| settings.roles.default = Some(Role::Member)).await;
    scene.provider.knows(json!({ "sub": "7" }));
    let begun = scene.begin(None).await.expect("begun");
    let other = scene.begin(None).await.expect("begun");
    let back = scene.visit(&begun);
    let code = |outcome: Result<Identified, Problem>| outcome.map_or_else(|problem| problem.code, |_| "in");
    let finish = async |back: &BTreeMap<String, String>, cookie: Option<&SecretString>| {
        code(scene.finish(back, cookie, None).await)
    };

    // In another browser it is refused, and then it is spent for the right one as well.
    assert_eq!(finish(&back, Some(&other.cookie)).await, "oidc_other_browser");
    assert_eq!(finish(&back, Some(&begun.cookie)).await, "oidc_state_unknown");
    let begun = scene.begin(None).await.expect("begun");
    let back = scene.visit(&begun);
    assert_eq!(finish(&back, None).await, "oidc_other_browser");

    // A code of somebody else's under one's own state: the verifier is another one.
    let (mine, theirs) = (scene.begin(None).await.expect("begun"), scene.begin(None).await.expect("begun"));
    let mut mixed = scene.visit(&mine);
    mixed.insert("code".to_owned(), scene.visit(&theirs)["code"].clone());
    assert_eq!(finish(&mixed, Some(&mine.cookie)).await, "oidc_token_refused");

    let begun = scene.begin(None).await.expect("begun");
    let back = scene.visit(&begun);
    assert_eq!(finish(&back, Some(&begun.cookie)).await, "in");
    assert_eq!(finish(&back, Some(&begun.cookie)).await, "oidc_state_unknown", "played again");

    let begun = scene.begin(None).await.expect("begun");
    let back = scene.visit(&begun);
    scene.clock.by(Duration::from_mins(10));
    assert_eq!(finish(&back, Some(&begun.cookie)).await, "oidc_state_unknown", "too late");

    for (error, expected) in [("access_denied", "oidc_denied"), ("server_error\r\nx", "oidc_failed")] {
        let begun = scene.begin(None).await.expect("begun");
        let mut back = scene.visit(&begun);
        back.remove("code");
        back.insert("error".to_owned(), error.to_owned());
        assert_eq!(finish(&back, Some(&begun.cookie)).await, expected);
    }
    let guess = BTreeMap::from([("state".to_owned(), "guess".to_owned())]);
    assert_eq!(finish(&guess, Some(&begun.cookie)).await, "oidc_state_unknown");
    assert_eq!(finish(&BTreeMap::new(), None).await, "oidc_state_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_may_come_to_another_server() {
    let scene = Scene::start(Backend::Postgres, |settings| settings.roles.default = Some(Role::Member)).await;
    scene.provider.knows(json!({ "sub": "7" }));
    let mut options = scene.world.options();
    options.clock = Arc::clone(&scene.clock) as _;
    options.egress.connect_to.push(ConnectToOption {
        host: "login.example.com".to_owned(),
        address: scene.provider.address,
        authority: None,
        browser_address: None,
        without_tls: true,
    });
    let mut there = settings();
    there.roles.default = Some(Role::Member);
    options.oidc = Some(there);
    let node = crate::world::Node::start(options).await;
    let begun = scene.begin(None).await.expect("begun");
    let back = scene.visit(&begun);
    let answer = ProviderAnswer {
        parameters: &back,
        cookie: Some(begun.cookie.expose_secret()),
        public_url: PUBLIC_URL,
        signed_in: None,
        browser: &here(),
    };
    let Identified::SignedIn { token, .. } =
        node.platform.finish_identification(answer).await.expect("signed in")
    else {
        panic!("nobody links an account");
    };
    assert!(signed_in(scene.platform(), &token).await.is_some(), "on every server");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_address_opens_nothing_but_an_invitation(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let scene = Scene::start(backend, |_| {}).await;
    for (login, enabled) in
        [("ben@example.com", true), ("eve@example.com", true), ("gone@example.com", false)]
    {
        scene.invite(login, Role::Member).await;
        scene.platform().enable_user(&scene.world.access, login, enabled).await.expect("changed");
    }
    for (number, (email, is_verified, expected)) in [
        // Anna has a password: whoever shows her address is not her for that.
        ("anna@example.com", json!(true), Err("oidc_link_first")),
        ("ANNA@example.com", json!(true), Err("oidc_link_first")),
        ("ben@example.com", json!(false), Err("oidc_mail_unverified")),
        ("ben@example.com", json!(null), Err("oidc_mail_unverified")),
        ("ben@example.com", json!("yes"), Err("oidc_mail_unverified")),
        ("ben@example.com", json!(1), Err("oidc_mail_unverified")),
        // What searches take for the same is another address.
        ("ｂen@example.com", json!(true), Err("oidc_not_invited")),
        ("ben@example.com ", json!(true), Err("oidc_not_invited")),
        ("ben@example.com\u{0}", json!(true), Err("oidc_not_invited")),
        ("stranger@example.com", json!(true), Err("oidc_not_invited")),
        ("gone@example.com", json!(true), Err("oidc_shut_out")),
        ("ben@example.com", json!(true), Ok("ben@example.com")),
        // He has come: a second account there with his address is somebody else.
        ("ben@example.com", json!(true), Err("oidc_link_first")),
        ("eve@example.com", json!("true"), Ok("eve@example.com")),
    ]
    .into_iter()
    .enumerate()
    {
        let subject = format!("subject-{number}");
        scene.provider.knows(json!({ "sub": subject, "email": email, "email_verified": is_verified }));
        let came = scene.sign_in().await.map(|who| who.user.login);
        assert_eq!(came.as_deref().map_err(|code| *code), expected, "{email} {is_verified}");
    }
    // A name that looks like an address is none.
    scene.provider.knows(json!({ "sub": "x", "preferred_username": "anna@example.com" }));
    assert_eq!(scene.sign_in().await.map(drop), Err("oidc_not_invited"));
    assert!(scene.trail().await.contains(&"user.sign_in_refused".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_decides_roles_at_every_sign_in() {
    let scene = Scene::start(Backend::Sqlite, |settings| {
        settings.roles = RoleRules {
            claim: Some("groups".to_owned()),
            admins: vec!["ops".to_owned()],
            members: vec!["sales".to_owned()],
            viewers: Vec::new(),
            default: None,
        };
    })
    .await;
    scene.invite("ben@example.com", Role::Admin).await;
    let known = |groups: serde_json::Value| json!({ "sub": "7", "email": "ben@example.com", "email_verified": true, "groups": groups });
    scene.provider.knows(known(json!(["sales"])));
    let first = scene.sign_in().await.expect("signed in");
    assert_eq!(first.user.role, Role::Member, "the provider's word is above the invitation's");
    scene.provider.knows(known(json!(["sales", "ops"])));
    let second = scene.sign_in().await.expect("signed in");
    assert_eq!((second.user.role, second.user.id), (Role::Admin, first.user.id.clone()));
    let left = scene.platform().own_sign_ins(&first).await.expect("listed");
    assert_eq!(left.len(), 1, "another role signs out everywhere else");
    scene.provider.knows(known(json!(["other"])));
    assert_eq!(scene.sign_in().await.map(drop), Err("oidc_not_invited"));
    // Nobody invited Carla, but her group lets her in; what it is may be told later.
    scene.provider.knows(json!({ "sub": "8", "name": "Carla", "preferred_username": "carla" }));
    scene.provider.tells_later(json!({ "groups": "sales" }));
    let carla = scene.sign_in().await.expect("signed in").user;
    assert_eq!(
        (carla.login.as_str(), carla.display_name.as_str(), carla.role),
        ("carla", "Carla", Role::Member)
    );

    // The last administrator stays one: nobody could administer any more.
    scene.provider.knows(json!({ "sub": "9", "groups": ["ops"] }));
    assert!(matches!(scene.go(Some(&scene.anna)).await, Ok(Identified::Linked { .. })));
    scene.platform().enable_user(&scene.world.access, "ben@example.com", false).await.expect("disabled");
    scene.provider.knows(json!({ "sub": "9", "groups": ["sales"] }));
    assert_eq!(scene.sign_in().await.map(drop), Err("last_administrator"));
    assert_eq!(
        scene.trail().await,
        ["user.joined", "user.linked", "user.role_changed", "user.sign_in_refused"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn domains_and_unverified_addresses_are_as_the_operator_says() {
    let scene = Scene::start(Backend::Sqlite, |settings| {
        settings.allowed_domains = vec!["example.com".to_owned()];
        settings.trust_mail = true;
        settings.roles.default = Some(Role::Viewer);
    })
    .await;
    for (number, (claims, expected)) in [
        (json!({ "email": "ben@example.com" }), Ok("ben@example.com")),
        (json!({ "email": "ben2@example.com", "email_verified": false }), Err("oidc_mail_unverified")),
        (json!({ "email": "ben@evil.example" }), Err("oidc_domain")),
        (json!({ "email": "ben@example.com@evil.example" }), Err("oidc_mail_unverified")),
        (json!({}), Err("oidc_mail_unverified")),
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = claims;
        claims["sub"] = json!(format!("subject-{number}"));
        scene.provider.knows(claims.clone());
        let came = scene.sign_in().await.map(|who| who.user.login);
        assert_eq!(came.as_deref().map_err(|code| *code), expected, "{claims}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_signed_in_links_their_account(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let scene = Scene::start(backend, |settings| settings.roles.default = Some(Role::Member)).await;
    let platform = scene.platform();
    scene.provider.knows(json!({ "sub": "8" }));
    let ben = scene.sign_in().await.expect("signed in");
    let code =
        |outcome: Result<Identified, Problem>| outcome.map_or_else(|problem| problem.code, |_| "linked");

    assert_eq!(code(scene.go(Some(&scene.anna)).await), "oidc_identity_taken", "that is Ben's");
    // Anna begins, and somebody else is signed in when the answer comes, or nobody.
    scene.provider.knows(json!({ "sub": "7" }));
    for who in [None, Some(&ben)] {
        let begun = scene.begin(Some(&scene.anna)).await.expect("begun");
        let back = scene.visit(&begun);
        assert_eq!(code(scene.finish(&back, Some(&begun.cookie), who).await), "oidc_other_browser");
    }
    assert_eq!(code(scene.go(Some(&scene.anna)).await), "linked");
    let anna = scene.sign_in().await.expect("signed in");
    assert_eq!((&anna.user.id, anna.user.role), (&scene.anna.user.id, Role::Admin));
    assert_eq!(scene.begin(Some(&anna)).await.expect_err("refused").code, "oidc_linked_already");

    assert_eq!(platform.unlink_identity(&ben).await.expect_err("refused").code, "oidc_only_way");
    platform.unlink_identity(&anna).await.expect("unlinked");
    assert!(platform.own_sign_ins(&anna).await.expect("listed").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_passwords_a_link_of_the_operator_stays_a_way_in() {
    let scene = Scene::start(Backend::Sqlite, |settings| settings.password_sign_in = false).await;
    let platform = scene.platform();
    let refused = platform.sign_in("anna@example.com", &PASSWORD.into(), &here()).await;
    assert_eq!(refused.map(drop).expect_err("refused").code, "passwords_off");
    scene.provider.knows(json!({ "sub": "7" }));
    assert!(matches!(scene.go(Some(&scene.anna)).await, Ok(Identified::Linked { .. })));
    let anna = scene.sign_in().await.expect("signed in");
    assert_eq!(platform.unlink_identity(&anna).await.expect_err("refused").code, "oidc_only_way");

    scene.provider.lie(Some(Lie::Down));
    scene.clock.by(Duration::from_mins(61));
    assert_eq!(scene.sign_in().await.map(drop), Err("oidc_unreachable"));
    let link = platform.reset_password(&scene.world.access, "anna@example.com").await.expect("a link");
    let chosen = ChosenPassword { display_name: String::new(), password: PASSWORD.into() };
    let (token, _) = platform.choose_password(&link.secret, &chosen, &here()).await.expect("chosen");
    assert!(signed_in(platform, &token).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_there_before_there_is_an_administrator() {
    let world = World::start_with(|options, _| options.oidc = Some(settings())).await;
    let begun = world.platform.begin_identification(PUBLIC_URL, "/", None, &here()).await;
    assert_eq!(begun.map(drop).expect_err("refused").code, "oidc_not_set_up");
    let without = World::start().await;
    let begun = without.platform.begin_identification(PUBLIC_URL, "/", None, &here()).await;
    assert_eq!(begun.map(drop).expect_err("refused").code, "oidc_off");
    assert!(without.platform.has_password_sign_in() && without.platform.identity_provider_name().is_none());
}
