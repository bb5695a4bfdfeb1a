//! The OAuth clients of an auth scheme, to choose from.

use std::collections::BTreeMap;

use serde_json::json;
use tombolo_platform::catalog::Provider;

/// The OAuth clients that somebody may choose.
pub(crate) struct ClientsView {
    /// The name of the input.
    pub(crate) input: String,
    /// The clients.
    pub(crate) options: Vec<ClientOption>,
    /// Where new ones are registered and own ones changed; empty for whoever may not.
    pub(crate) action: String,
    /// Whether that is another page that is simply opened, and no step of the form.
    pub(crate) is_link: bool,
    /// What is wrong with the choice, or nothing.
    pub(crate) error: String,
}

/// An OAuth client.
pub(crate) struct ClientOption {
    /// Its id.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: String,
    /// Where it is registered, for people; empty when it is good for every account.
    pub(crate) place: String,
    /// The inputs that its address fills, for the page's script: a JSON object.
    pub(crate) fills: String,
    /// Whether it can be changed.
    pub(crate) is_own: bool,
    /// Whether it can be chosen: it has its id of the vendor.
    pub(crate) is_finished: bool,
    /// Whether it is the one.
    pub(crate) chosen: bool,
}

impl ClientOption {
    /// A client with where it is registered; the rest is as it is for most.
    pub(crate) fn new(provider: &Provider, id: &str, name: &str, config: &BTreeMap<String, String>) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            place: place_of(provider, config),
            fills: json!(config).to_string(),
            is_own: false,
            is_finished: true,
            chosen: false,
        }
    }
}

impl ClientsView {
    /// Whether one of them is chosen.
    pub(crate) fn is_chosen(&self) -> bool {
        self.options.iter().any(|option| option.chosen)
    }

    /// Those that can be changed.
    pub(crate) fn own(&self) -> Vec<&ClientOption> {
        self.options.iter().filter(|option| option.is_own).collect()
    }
}

/// Where something is registered, in the order of the provider's fields.
pub(crate) fn place_of(provider: &Provider, config: &BTreeMap<String, String>) -> String {
    let values = provider.config.iter().filter_map(|(name, _)| config.get(name));
    values.map(String::as_str).collect::<Vec<_>>().join(" · ")
}
