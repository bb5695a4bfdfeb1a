//! Finds a caller's API key in a request to the drop-in URL.

use http::HeaderMap;
use tombolo_auth::extract_keys;
use tombolo_store::ApiKeyHash;
use zeroize::Zeroizing;

use crate::platform::Platform;
use crate::problem::Problem;

/// How our keys begin; enough to tell them from a vendor's credential.
const KEY_PREFIX: &str = "tmb_";

/// A way to tell a key from a vendor's credential.
type IsKey = fn(&str) -> bool;

impl Platform {
    /// The one API key in the headers and the query, wherever a client of the vendor puts its credential. Two different
    /// keys are refused: it could not be said on whose behalf the call is made.
    pub fn caller_key(
        &self,
        integration: &str,
        headers: &HeaderMap,
        query: Option<&str>,
    ) -> Result<Option<Zeroizing<String>>, Problem> {
        let own: IsKey = |text| text.starts_with(KEY_PREFIX);
        // A vendor's credential may be a UUID as well, so a key of ours is looked for first.
        let taken_over: IsKey = |text| ApiKeyHash::of_presented(text).is_some();
        let mut keys = self.keys_among(integration, headers, query, own);
        if keys.is_empty() {
            keys = self.keys_among(integration, headers, query, taken_over);
        }
        if let (key, true) = (keys.pop(), keys.is_empty()) {
            Ok(key)
        } else {
            let what = "The request carries two different API keys";
            Err(Problem::invalid("two_keys", what, "Send one key, in one place."))
        }
    }
    fn keys_among(
        &self,
        integration: &str,
        headers: &HeaderMap,
        query: Option<&str>,
        is_key: IsKey,
    ) -> Vec<Zeroizing<String>> {
        // Which provider an integration is of is only known once the environment is, and that is what the key tells;
        // most integrations have the name of their provider.
        let mut keys = match self.catalog.get(integration) {
            Some(provider) => extract_keys(provider, headers, query, is_key),
            None => Vec::new(),
        };
        // A key in the query of a provider that has none there would go on to the vendor.
        let query = query.filter(|_| self.catalog.get(integration).is_none());
        if keys.is_empty() {
            for provider in self.catalog.iter() {
                for key in extract_keys(provider, headers, query, is_key) {
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
            }
        }
        keys
    }
}
