//! Signatures of OAuth 1.0a (RFC 5849 §3).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tombolo_catalog::OAuth1Signature;
use zeroize::Zeroizing;

use crate::fill::Subject;
use crate::moment::Moment;
use crate::text::{encoded, pairs, sorted};

/// Who signs.
#[derive(Clone, Copy)]
pub(crate) struct Signer<'a> {
    pub(crate) method: OAuth1Signature,
    pub(crate) consumer_key: &'a str,
    pub(crate) consumer_secret: &'a str,
    pub(crate) token: Option<&'a str>,
    pub(crate) token_secret: &'a str,
    pub(crate) realm: Option<&'a str>,
}

impl Signer<'_> {
    /// The value of the header `Authorization` for a request. `more` are parameters of the protocol, such as
    /// `oauth_callback`; `is_form` says whether the body is a form, whose parameters are signed as well.
    pub(crate) fn header(
        &self,
        subject: &Subject<'_>,
        is_form: bool,
        more: &[(&str, &str)],
        moment: Moment,
    ) -> Zeroizing<String> {
        let (nonce, timestamp) = (moment.nonce(), moment.seconds().to_string());
        self.header_with(subject, is_form, more, &nonce, &timestamp)
    }

    fn header_with(
        &self,
        subject: &Subject<'_>,
        is_form: bool,
        more: &[(&str, &str)],
        nonce: &str,
        timestamp: &str,
    ) -> Zeroizing<String> {
        let mut own: Vec<(&str, &str)> = vec![
            ("oauth_consumer_key", self.consumer_key),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", self.method.name()),
            ("oauth_timestamp", timestamp),
        ];
        own.extend(self.token.map(|token| ("oauth_token", token)));
        own.extend_from_slice(more);
        own.push(("oauth_version", "1.0"));
        let signature = self.signature(subject, is_form, &own);
        own.push(("oauth_signature", &signature));
        let realm = self.realm.map(|realm| format!("realm=\"{}\"", realm.replace(['"', '\\'], "")));
        let own = own.iter().map(|(name, value)| format!("{name}=\"{}\"", encoded(value)));
        let parts: Vec<String> = realm.into_iter().chain(own).collect();
        Zeroizing::new(format!("OAuth {}", parts.join(", ")))
    }

    fn signature(&self, subject: &Subject<'_>, is_form: bool, own: &[(&str, &str)]) -> String {
        let key = Zeroizing::new(format!("{}&{}", encoded(self.consumer_secret), encoded(self.token_secret)));
        let algorithm = match self.method {
            OAuth1Signature::Plaintext => return key.to_string(),
            OAuth1Signature::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            OAuth1Signature::HmacSha256 => hmac::HMAC_SHA256,
        };
        let message = base_string(subject, is_form, own);
        STANDARD.encode(hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), message.as_bytes()))
    }
}

/// RFC 5849 §3.4.1.
fn base_string(subject: &Subject<'_>, is_form: bool, own: &[(&str, &str)]) -> String {
    let mut all = pairs(subject.query());
    if is_form {
        all.extend(pairs(&String::from_utf8_lossy(subject.body)));
    }
    all.extend(own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let address = format!("{}{}", subject.origin.to_ascii_lowercase(), subject.path());
    format!("{}&{}&{}", subject.method.as_str(), encoded(&address), encoded(&sorted(&all)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    #[test]
    fn the_examples_of_the_standard_are_signed_as_it_says() {
        // RFC 5849 §1.2: a token, and a photo.
        let post = Method::POST;
        let token =
            Subject { method: &post, origin: "https://photos.example.net", target: "/token", body: b"" };
        let client = Signer {
            method: OAuth1Signature::HmacSha1,
            consumer_key: "dpf43f3p2l4k3l03",
            consumer_secret: "kd94hf93k423kf44",
            token: Some("hh5s93j4hdidpola"),
            token_secret: "hdhd0244k9j7ao03",
            realm: None,
        };
        let own = [
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "hh5s93j4hdidpola"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "walatlh"),
            ("oauth_verifier", "hfdp7dh39dks9884"),
        ];
        assert_eq!(client.signature(&token, false, &own), "gKgrFCywp7rO0OXSjdot/IHF7IU=");
        let get = Method::GET;
        let photo = Subject {
            method: &get,
            origin: "http://photos.example.net",
            target: "/photos?file=vacation.jpg&size=original",
            body: b"",
        };
        let printer = Signer { token: Some("nnch734d00sl2jdk"), token_secret: "pfkkdhi9sl3r4s00", ..client };
        let own = [
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "nnch734d00sl2jdk"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131202"),
            ("oauth_nonce", "chapoH"),
        ];
        assert_eq!(printer.signature(&photo, false, &own), "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
        let plain = Signer { method: OAuth1Signature::Plaintext, ..printer };
        assert_eq!(plain.signature(&photo, false, &own), "kd94hf93k423kf44&pfkkdhi9sl3r4s00");
    }

    /// The example that the documentation of an API with many users has: a form, with `oauth_version`.
    #[test]
    fn the_parameters_of_a_form_are_signed() {
        let post = Method::POST;
        let subject = Subject {
            method: &post,
            origin: "https://api.twitter.com",
            target: "/1.1/statuses/update.json?include_entities=true",
            body: b"status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21",
        };
        let signer = Signer {
            method: OAuth1Signature::HmacSha1,
            consumer_key: "xvz1evFS4wEEPTGEFPHBog",
            consumer_secret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
            token: Some("370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"),
            token_secret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
            realm: None,
        };
        let nonce = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg";
        let header = signer.header_with(&subject, true, &[], nonce, "1318622958");
        assert!(header.ends_with("oauth_signature=\"hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D\""), "{}", *header);
    }

    #[test]
    fn the_base_string_is_that_of_the_standard() {
        // RFC 5849 §3.4.1.1.
        let post = Method::POST;
        let subject = Subject {
            method: &post,
            origin: "http://EXAMPLE.com",
            target: "/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
            body: b"c2&a3=2+q",
        };
        let own = [
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
        ];
        assert_eq!(
            base_string(&subject, true, &own),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26\
             oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26\
             oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
    }

    #[test]
    fn the_realm_stands_first_and_is_not_signed() {
        let get = Method::GET;
        let subject = Subject { method: &get, origin: "https://api.example.com", target: "/a", body: b"" };
        let signer = Signer {
            method: OAuth1Signature::HmacSha256,
            consumer_key: "c",
            consumer_secret: "cs",
            token: Some("t"),
            token_secret: "ts",
            realm: Some("TSTDRV1"),
        };
        let without = Signer { realm: None, ..signer };
        let moment = Moment { milliseconds: 1_000, random: [7; 16] };
        let header = signer.header(&subject, false, &[], moment);
        assert!(header.starts_with("OAuth realm=\"TSTDRV1\", oauth_consumer_key=\"c\""), "{}", *header);
        let tail = without.header(&subject, false, &[], moment).trim_start_matches("OAuth ").to_owned();
        assert!(header.ends_with(&tail), "{} {tail}", *header);
    }
}
