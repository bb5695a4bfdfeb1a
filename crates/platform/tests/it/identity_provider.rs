//! An identity provider with keys of its own, that changes them and lies as it is told.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tombolo_platform::users::{OidcSettings, RoleRules};
use url::Url;

pub const ISSUER: &str = "https://login.example.com";
pub const CLIENT: &str = "tombolo";
/// A marker: a secret that occurs nowhere else.
pub const SECRET: &str = "canary secret of the OIDC client/+%";

/// What it does otherwise than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    OtherIssuer,
    OtherAudience,
    /// It is for several, and for nobody in particular.
    NoParty,
    OtherParty,
    OtherNonce,
    NoNonce,
    Ended,
    Early,
    Endless,
    Nameless,
    LongName,
    /// The header says that there is no signature, and there is none.
    Unsigned,
    /// The public key as the secret of an HMAC.
    SignedWithPublicKey,
    UnknownKey,
    /// A key of the right name that is not the one which is published.
    StolenName,
    /// Its own key, named in the header of the token.
    KeyInHeader,
    Critical,
    /// The claims of another token under the signature of this one.
    Spliced,
    NoIdToken,
    Garbage,
    /// The answer in the browser names another provider.
    OtherIssuerInBrowser,
    NoIssuerInBrowser,
    /// What it tells beside the token is about somebody else.
    OtherUserInfo,
    /// It calls itself otherwise.
    OtherDescription,
    Down,
}

/// How it signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

enum Key {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

struct NamedKey {
    name: String,
    algorithm: Algorithm,
    key: Key,
}

struct State {
    key: NamedKey,
    made: usize,
    lie: Option<Lie>,
    claims: Map<String, Value>,
    /// What it tells only at its userinfo endpoint.
    told_later: Map<String, Value>,
    codes: HashMap<String, BTreeMap<String, String>>,
    asked: Vec<String>,
    now: i64,
}

#[derive(Clone)]
pub struct IdentityProvider {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

pub fn settings() -> OidcSettings {
    OidcSettings {
        issuer: ISSUER.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(SECRET.into()),
        name: "Example ID".to_owned(),
        scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
        roles: RoleRules::default(),
        allowed_domains: Vec::new(),
        trust_mail: false,
        password_sign_in: true,
    }
}

impl IdentityProvider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let state = State {
            key: NamedKey::new("key-0", Algorithm::Es256),
            made: 0,
            lie: None,
            claims: Map::new(),
            told_later: Map::new(),
            codes: HashMap::new(),
            asked: Vec::new(),
            now: 0,
        };
        let provider =
            Self { address: listener.local_addr().expect("bound"), state: Arc::new(Mutex::new(state)) };
        let serving = provider.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let provider = serving.clone();
                let answer = move |request: Request<Incoming>| {
                    let provider = provider.clone();
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.expect("a whole body").to_bytes();
                        let path = head.uri.path().to_owned();
                        provider.state().asked.push(path.clone());
                        let (status, answer) = provider.answer(&path, &head.headers, &body);
                        let body = Full::new(Bytes::from(answer.to_string()));
                        Ok::<_, std::convert::Infallible>(
                            Response::builder().status(status).body(body).expect("an answer"),
                        )
                    }
                };
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service_fn(answer)),
                );
            }
        });
        provider
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    /// From now on it does this otherwise than it should.
    pub fn lie(&self, lie: Option<Lie>) {
        self.state().lie = lie;
    }

    /// The person who is signed in there.
    pub fn knows(&self, claims: Value) {
        let Value::Object(claims) = claims else { panic!("an object") };
        let mut state = self.state();
        (state.claims, state.told_later) = (claims, Map::new());
    }

    /// What it tells of the person only when it is asked.
    pub fn tells_later(&self, claims: Value) {
        let Value::Object(claims) = claims else { panic!("an object") };
        self.state().told_later = claims;
    }

    /// Another key in the place of the one that there was.
    pub fn change_key(&self, algorithm: Algorithm) {
        let mut state = self.state();
        state.made += 1;
        state.key = NamedKey::new(&format!("key-{}", state.made), algorithm);
    }

    /// How often it was asked for something.
    pub fn asked(&self, path: &str) -> usize {
        self.state().asked.iter().filter(|asked| *asked == path).count()
    }

    /// What a browser does there that was sent to it: the parameters with which it comes back.
    pub fn visit(&self, location: &str, seconds: i64) -> BTreeMap<String, String> {
        let url = Url::parse(location).expect("an address");
        assert_eq!(url.path(), "/authorize");
        let asked: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["state"].len() >= 43 && asked["nonce"].len() >= 43);
        let mut state = self.state();
        state.now = seconds;
        let code = format!("code-{}", state.codes.len());
        let mut back = BTreeMap::from([
            ("state".to_owned(), asked["state"].clone()),
            ("code".to_owned(), code.clone()),
            ("iss".to_owned(), ISSUER.to_owned()),
        ]);
        match state.lie {
            Some(Lie::OtherIssuerInBrowser) => {
                back.insert("iss".to_owned(), "https://evil.example".to_owned());
            }
            Some(Lie::NoIssuerInBrowser) => {
                back.remove("iss");
            }
            _ => {}
        }
        state.codes.insert(code, asked);
        back
    }

    fn answer(&self, path: &str, headers: &HeaderMap, body: &[u8]) -> (u16, Value) {
        let mut state = self.state();
        if state.lie == Some(Lie::Down) {
            return (503, json!({}));
        }
        match path {
            "/.well-known/openid-configuration" => {
                let issuer =
                    if state.lie == Some(Lie::OtherDescription) { "https://evil.example" } else { ISSUER };
                let at = |path: &str| format!("{ISSUER}{path}");
                let document = json!({
                    "issuer": issuer, "authorization_endpoint": at("/authorize"),
                    "token_endpoint": at("/token"), "jwks_uri": at("/keys"),
                    "userinfo_endpoint": at("/userinfo"),
                    "authorization_response_iss_parameter_supported": true,
                });
                (200, document)
            }
            // Keys of other kinds stand beside its own.
            "/keys" => {
                let strange = json!({ "kty": "new", "kid": "strange" });
                let shared = json!({ "kty": "oct", "kid": "shared", "k": "c2VjcmV0", "alg": "HS256" });
                (200, json!({ "keys": [strange, shared, state.key.public()] }))
            }
            "/token" => state.token(headers, body),
            "/userinfo" => {
                let mut told = state.told_later.clone();
                told.insert("sub".to_owned(), state.claims["sub"].clone());
                if state.lie == Some(Lie::OtherUserInfo) {
                    told.insert("sub".to_owned(), json!("somebody else"));
                }
                let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
                if bearer == Some("Bearer access-1") { (200, Value::Object(told)) } else { (401, json!({})) }
            }
            _ => (404, json!({})),
        }
    }
}

impl State {
    /// A code is good once, for the client that shows its secret, and with the verifier.
    fn token(&mut self, headers: &HeaderMap, body: &[u8]) -> (u16, Value) {
        let form: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(CLIENT), encode(SECRET))));
        if headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(&basic) {
            return (401, json!({ "error": "invalid_client" }));
        }
        let Some(asked) = self.codes.remove(&form["code"]) else {
            return (400, json!({ "error": "invalid_grant" }));
        };
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, form["code_verifier"].as_bytes()).as_ref());
        if challenge != asked["code_challenge"] || form["redirect_uri"] != asked["redirect_uri"] {
            return (400, json!({ "error": "invalid_grant" }));
        }
        let mut answer = json!({ "access_token": "access-1", "token_type": "Bearer" });
        match self.lie {
            Some(Lie::NoIdToken) => {}
            Some(Lie::Garbage) => answer["id_token"] = json!("a.b.c"),
            _ => answer["id_token"] = json!(self.id_token(&asked["nonce"])),
        }
        (200, answer)
    }

    fn id_token(&self, nonce: &str) -> String {
        let now = self.now;
        let mut claims =
            json!({ "iss": ISSUER, "aud": CLIENT, "nonce": nonce, "iat": now, "exp": now + 300 });
        let object = claims.as_object_mut().expect("an object");
        object.extend(self.claims.clone());
        match self.lie {
            Some(Lie::OtherIssuer) => claims["iss"] = json!("https://login.example.com.evil.example"),
            Some(Lie::OtherAudience) => claims["aud"] = json!("another"),
            Some(Lie::NoParty) => claims["aud"] = json!([CLIENT, "another"]),
            Some(Lie::OtherParty) => claims["azp"] = json!("another"),
            Some(Lie::OtherNonce) => claims["nonce"] = json!("another"),
            Some(Lie::NoNonce) => drop(object.remove("nonce")),
            Some(Lie::Ended) => claims["exp"] = json!(now - 61),
            Some(Lie::Early) => claims["iat"] = json!(now + 61),
            Some(Lie::Endless) => drop(object.remove("exp")),
            Some(Lie::Nameless) => drop(object.remove("sub")),
            Some(Lie::LongName) => claims["sub"] = json!("x".repeat(256)),
            _ => {}
        }
        let mut header = json!({ "alg": self.key.algorithm.name(), "kid": self.key.name, "typ": "JWT" });
        let other = NamedKey::new(&self.key.name, self.key.algorithm);
        match self.lie {
            Some(Lie::Unsigned) => header["alg"] = json!("none"),
            Some(Lie::SignedWithPublicKey) => header["alg"] = json!("HS256"),
            Some(Lie::UnknownKey) => header["kid"] = json!("unknown"),
            Some(Lie::KeyInHeader) => header["jwk"] = other.public(),
            Some(Lie::Critical) => header["crit"] = json!(["exp"]),
            _ => {}
        }
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = match self.lie {
            Some(Lie::Unsigned) => Vec::new(),
            Some(Lie::SignedWithPublicKey) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key.public_der());
                hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
            }
            Some(Lie::StolenName | Lie::KeyInHeader | Lie::UnknownKey) => other.sign(message.as_bytes()),
            _ => self.key.sign(message.as_bytes()),
        };
        let signature = URL_SAFE_NO_PAD.encode(signature);
        if self.lie == Some(Lie::Spliced) {
            claims["sub"] = json!("victim");
            return format!("{}.{}.{signature}", encode(&header), encode(&claims));
        }
        format!("{message}.{signature}")
    }
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl NamedKey {
    fn new(name: &str, algorithm: Algorithm) -> Self {
        let key = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"))
            }
            Algorithm::Es256 => {
                Key::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
            }
            Algorithm::EdDsa => Key::Ed25519(Ed25519KeyPair::generate().expect("a key")),
        };
        Self { name: name.to_owned(), algorithm, key }
    }

    fn public(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut public = match &self.key {
            Key::Rsa(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                json!({ "kty": "RSA", "n": encode(n), "e": encode(e) })
            }
            Key::Ecdsa(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]) })
            }
            Key::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) })
            }
        };
        (public["kid"], public["use"]) = (json!(self.name), json!("sig"));
        public
    }

    fn public_der(&self) -> Vec<u8> {
        match &self.key {
            Key::Rsa(pair) => pair.public_key().as_der().expect("DER").as_ref().to_vec(),
            Key::Ecdsa(pair) => pair.public_key().as_ref().to_vec(),
            Key::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(pair) => {
                let padding = match self.algorithm {
                    Algorithm::Ps256 => &RSA_PSS_SHA256 as &dyn aws_lc_rs::signature::RsaEncoding,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).expect("signed");
                signature
            }
            Key::Ecdsa(pair) => pair.sign(&random, message).expect("signed").as_ref().to_vec(),
            Key::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}
