//! Signature Version 4 of Amazon Web Services.
//!
//! Own code, because it is a hundred lines over the digests that are here anyway, and the vendor's crate brings a
//! runtime's worth of types with it. The tests are the vendor's published suite.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use tombolo_catalog::TimeFormat;

use crate::fill::Subject;
use crate::moment::Moment;
use crate::text::{encoded, hex, pairs, sorted};

/// Who signs, and what for.
pub(crate) struct AwsSigner<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) session_token: Option<&'a str>,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");

impl AwsSigner<'_> {
    /// Sets the date, the digest of the body, the session token and `Authorization`. `host`, the content type and every
    /// header that begins with `x-amz-` are signed. `None` when a value cannot travel in a header.
    pub(crate) fn sign(&self, subject: &Subject<'_>, moment: Moment, headers: &mut HeaderMap) -> Option<()> {
        let time = TimeFormat::parse("YYYYMMDDTHHmmss[Z]")?.write(moment.milliseconds);
        headers.insert(DATE, HeaderValue::from_str(&time).ok()?);
        if let Some(token) = self.session_token {
            headers.insert(TOKEN, sensitive(token)?);
        }
        let body = hex(digest(&SHA256, subject.body).as_ref());
        // Only the object store asks for it; others would have to be told of one more signed header.
        if self.service == "s3" {
            headers.insert(CONTENT, HeaderValue::from_str(&body).ok()?);
        }
        let (canonical, signed) = self.canonical_request(subject, headers, &body);
        let day = &time[..8];
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let digest = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let key = [day, self.region, self.service, "aws4_request"]
            .iter()
            .fold(format!("AWS4{}", self.secret_access_key).into_bytes(), |key, part| mac(&key, part));
        let signature = hex(&mac(&key, &text));
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
            self.access_key_id
        );
        headers.insert(AUTHORIZATION, sensitive(&value)?);
        Some(())
    }

    fn canonical_request(&self, subject: &Subject<'_>, headers: &HeaderMap, body: &str) -> (String, String) {
        let mut lines: Vec<(String, String)> = vec![("host".to_owned(), subject.host().to_owned())];
        for name in headers
            .keys()
            .filter(|name| name.as_str().starts_with("x-amz-") || name.as_str() == "content-type")
        {
            let values: Vec<String> =
                headers.get_all(name).iter().filter_map(|value| Some(folded(value.to_str().ok()?))).collect();
            lines.push((name.to_string(), values.join(",")));
        }
        lines.sort();
        let signed: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
        let signed = signed.join(";");
        let lines = lines.iter().fold(String::new(), |text, (name, value)| text + name + ":" + value + "\n");
        // The path travels encoded once; all but the object store encode what they got once more.
        let path = match subject.path() {
            "" => "/".to_owned(),
            path if self.service == "s3" => path.to_owned(),
            path => path.split('/').map(encoded).collect::<Vec<_>>().join("/"),
        };
        let query = sorted(&pairs(&subject.query().replace('+', "%2B")));
        (format!("{}\n{path}\n{query}\n{lines}\n{signed}\n{body}", subject.method.as_str()), signed)
    }
}

/// Blanks at the ends are no part of a value, and several are one.
fn folded(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    #[test]
    fn requests_of_the_published_suite_are_signed_as_it_says() {
        for (case, method, target, headers, body, signature) in [
            (
                "get-vanilla",
                Method::GET,
                "/",
                &[][..],
                "",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "get-vanilla-query-order-key-case",
                Method::GET,
                "/?Param2=value2&Param1=value1",
                &[],
                "",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "post-vanilla",
                Method::POST,
                "/",
                &[],
                "",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "post-x-www-form-urlencoded",
                Method::POST,
                "/",
                &[("content-type", "application/x-www-form-urlencoded")],
                "Param1=value1",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            let signer = AwsSigner {
                access_key_id: "AKIDEXAMPLE",
                secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                session_token: None,
                region: "us-east-1",
                service: "service",
            };
            let subject = Subject {
                method: &method,
                origin: "https://example.amazonaws.com",
                target,
                body: body.as_bytes(),
            };
            let mut sent = HeaderMap::new();
            for (name, value) in headers {
                sent.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            // 30 August 2015, 12:36:00.
            let moment = Moment { milliseconds: 1_440_938_160_000, random: [0; 16] };
            signer.sign(&subject, moment, &mut sent).expect(case);
            let authorization = sent[AUTHORIZATION].to_str().expect("text");
            assert!(authorization.ends_with(&format!("Signature={signature}")), "{case}: {authorization}");
        }
    }

    #[test]
    fn the_example_of_the_documentation_is_signed_as_it_says() {
        let signer = AwsSigner {
            access_key_id: "AKIDEXAMPLE",
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            session_token: None,
            region: "us-east-1",
            service: "iam",
        };
        let method = Method::GET;
        let target = "/?Action=ListUsers&Version=2010-05-08";
        let subject = Subject { method: &method, origin: "https://iam.amazonaws.com", target, body: b"" };
        let mut sent = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        sent.insert(http::header::CONTENT_TYPE, kind);
        let moment = Moment { milliseconds: 1_440_938_160_000, random: [0; 16] };
        signer.sign(&subject, moment, &mut sent).expect("signs");
        assert_eq!(
            sent[AUTHORIZATION].to_str().expect("text"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }
}
