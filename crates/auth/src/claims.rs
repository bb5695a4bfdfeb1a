//! What a token tells about itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::credentials::Credentials;

impl Credentials {
    /// When the first of the secrets ends, in seconds since 1970, as far as they say so themselves: texts of the form of a
    /// JWT (RFC 7519), with or without something in front, whose second-last part has a claim `exp`. Nothing is verified:
    /// this is good for a warning and for nothing else.
    pub fn claimed_end(&self) -> Option<i64> {
        self.secrets().filter_map(claimed_end).min()
    }
}

fn claimed_end(token: &str) -> Option<i64> {
    let mut parts = token.rsplit('.');
    let (_, body, _) = (parts.next()?, parts.next()?, parts.next()?);
    let body = URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&body).ok()?;
    let end = claims.get("exp")?;
    end.as_i64().or_else(|| end.as_f64().map(|end| end as i64)).filter(|end| *end > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::CredentialsBuilder;

    #[test]
    fn a_token_may_say_when_it_ends() {
        let token =
            |front: &str, claims: &str| format!("{front}.{}.signature", URL_SAFE_NO_PAD.encode(claims));
        for (token, end) in [
            (token("header", r#"{"exp":1800000000}"#), Some(1_800_000_000)),
            (token("cy.s.api1.header", r#"{"exp":1800000000.5,"sub":"x"}"#), Some(1_800_000_000)),
            (token("header", r#"{"exp":"soon"}"#), None),
            (token("header", r#"{"sub":"x"}"#), None),
            (token("header", r#"{"exp":-1}"#), None),
            (token("header", "no JSON"), None),
            ("a.b".to_owned(), None),
            ("a.\u{3042}.c".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(claimed_end(&token), end, "{token}");
        }
        let two = CredentialsBuilder::new()
            .value("password", "x")
            .entry("1", &token("h", r#"{"exp":1900000000}"#))
            .entry("2", &token("h", r#"{"exp":1800000000}"#))
            .build();
        assert_eq!(two.claimed_end(), Some(1_800_000_000));
    }
}
