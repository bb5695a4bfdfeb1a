//! Process management of an app: states and the actions between them.

use serde_json::{Map, Value as Json};

/// Process management as the app's settings define it.
///
/// Read from and written as the vendor's `app/status.json`; the members that the emulator does not act upon
/// are kept as they came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Process {
    /// Whether the app uses process management.
    pub enabled: bool,
    /// States by their order; the first is the one of a new record.
    pub states: Vec<State>,
    /// The actions that lead from one state to another.
    pub actions: Vec<Action>,
}

/// A state, and who acts in it.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Name in the settings' language.
    pub name: String,
    /// Its definition on the wire: `name`, `index`, `assignee: {type, entities}`.
    pub definition: Map<String, Json>,
}

/// An action that moves a record from one state to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Name of the button.
    pub name: String,
    /// State in which it is offered.
    pub from: String,
    /// State in which the record is afterwards.
    pub to: String,
    /// Its definition on the wire: `name`, `from`, `to`, `filterCond`.
    pub definition: Map<String, Json>,
}

impl Process {
    /// The state of a new record, when process management is on.
    pub fn first_state(&self) -> Option<&str> {
        self.enabled.then(|| self.states.first().map(|state| state.name.as_str())).flatten()
    }

    /// The action of this name that is offered in this state.
    pub fn action(&self, name: &str, state: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.name == name && action.from == state)
    }

    /// Reads `{enable, states: {name: …}, actions: […]}`; a missing part is empty.
    pub fn from_definition(definition: &Json) -> Self {
        let text = |map: &Map<String, Json>, key: &str| {
            map.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
        };
        let mut states: Vec<State> = definition["states"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, state)| Some((name, state.as_object()?.clone())))
            .map(|(name, definition)| State { name: name.clone(), definition })
            .collect();
        states.sort_by_key(|state| {
            let index = state.definition.get("index");
            index
                .and_then(|index| index.as_u64().or_else(|| index.as_str()?.parse().ok()))
                .unwrap_or(u64::MAX)
        });
        let actions = definition["actions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_object)
            .map(|action| Action {
                name: text(action, "name"),
                from: text(action, "from"),
                to: text(action, "to"),
                definition: action.clone(),
            })
            .collect();
        Self { enabled: definition["enable"].as_bool().unwrap_or(false), states, actions }
    }
}
