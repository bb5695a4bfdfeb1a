//! Paste anything: a URL of the vendor's fills the fields that can be read from it.

use std::collections::BTreeMap;

use regex::Regex;
use serde::{Deserialize, Deserializer, de};
use unicode_normalization::UnicodeNormalization;

/// A pattern whose named groups are fields of the form.
#[derive(Debug, Clone)]
pub struct PasteRule {
    regex: Regex,
}

/// The fields that were read from a pasted text.
pub type Pasted = BTreeMap<String, String>;

impl PasteRule {
    /// The fields in a pasted text, or `None` when the rule does not fit it.
    pub fn read(&self, pasted: &str) -> Option<Pasted> {
        let folded: String = pasted.nfkc().collect();
        let captures = self.regex.captures(folded.trim())?;
        let named = self.fields().filter_map(|name| {
            let found = captures.name(name)?;
            Some((name.to_owned(), found.as_str().to_ascii_lowercase()))
        });
        Some(named.collect())
    }

    /// The names of the fields that the rule can fill.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.regex.capture_names().flatten()
    }
}

impl<'de> Deserialize<'de> for PasteRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = String::deserialize(deserializer)?;
        let regex = Regex::new(&format!(r"\A(?i:{source})\z")).map_err(|error| {
            de::Error::custom(format!("`{source}` is not a linear-time pattern: {error}"))
        })?;
        Ok(Self { regex })
    }
}

#[cfg(test)]
mod tests {
    use crate::Catalog;

    #[test]
    fn any_url_of_kintone_fills_the_form() {
        let catalog = Catalog::built_in().expect("the built-in files load");
        let kintone = catalog.get("kintone").expect("kintone");
        for (pasted, expected) in [
            (
                "https://acme.cybozu.com/k/guest/5/12/",
                "app=12 domain=cybozu.com guest_space_id=5 subdomain=acme",
            ),
            (
                "https://acme.cybozu.com/k/guest/5/app/12/",
                "app=12 domain=cybozu.com guest_space_id=5 subdomain=acme",
            ),
            ("https://acme.kintone.com/k/12/show#record=3", "app=12 domain=kintone.com subdomain=acme"),
            (" HTTPS://Acme.Kintone.com/ ", "domain=kintone.com subdomain=acme"),
            ("ａｃｍｅ.cybozu.com", "domain=cybozu.com subdomain=acme"),
            ("https://acme.s.cybozu.com/k/#/portal", "domain=cybozu.com subdomain=acme"),
            ("https://acme.cybozu.cn/k/m/7/", "app=7 domain=cybozu.cn subdomain=acme"),
        ] {
            let fields = kintone.read_pasted(pasted).unwrap_or_default();
            let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(text.join(" "), expected, "{pasted}");
        }
        for foreign in ["https://acme.cybozu.com.evil.test/", "https://evil.test/acme.cybozu.com", "acme", ""]
        {
            assert_eq!(kintone.read_pasted(foreign), None, "{foreign}");
        }
    }
}
