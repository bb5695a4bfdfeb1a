//! What the templates of the Connect UI show.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use tombolo_platform::connect::{LinkChoice, LinkForm, SessionAccess};

use super::visit::{Look, Visit};
use crate::pages::form::{
    AccountForm, ClientOption, ClientsView, Drawn, Input, Posted, ReportView, client_input, faults,
    known_values, place_of,
};
use crate::pages::shell::Shell;
use tombolo_platform::Platform;
use tombolo_platform::catalog::FieldError;

/// Waits for the page around it to say which session it is.
#[derive(Template)]
#[template(path = "connect/waiting.html")]
pub(super) struct Waiting<'a> {
    pub(super) shell: &'a Shell,
    pub(super) look: &'a Look,
    pub(super) origins: String,
    pub(super) action: String,
    /// The integration that the page around wants; empty when it is to be chosen.
    pub(super) integration: String,
}

/// Asks which integration it is.
#[derive(Template)]
#[template(path = "connect/choosing.html")]
pub(super) struct Choosing<'a> {
    pub(super) shell: &'a Shell,
    pub(super) look: &'a Look,
    pub(super) head: Head,
    pub(super) cards: Vec<Card>,
    pub(super) categories: Vec<String>,
}

/// An integration to choose.
pub(super) struct Card {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) mark: String,
    pub(super) description: String,
    pub(super) categories: String,
}

/// What every step knows.
pub(super) struct Head {
    pub(super) action: String,
    pub(super) origins: String,
    pub(super) token: String,
    /// For whom the account is linked; empty when nobody said.
    pub(super) user: String,
    /// The organization that the person belongs to; empty when nobody said.
    pub(super) organization: String,
    /// Whether an account that is linked at the vendor can be confirmed without the page that opened this one.
    pub(super) ends_anywhere: bool,
    /// Whether the page stands in a frame of another page.
    pub(super) is_framed: bool,
}

/// Asks for what an account is linked with.
#[derive(Template)]
#[template(path = "connect/form.html")]
pub(super) struct FormPage<'a> {
    pub(super) shell: &'a Shell,
    pub(super) look: &'a Look,
    pub(super) head: Head,
    /// Whose account is linked to what, for whom.
    pub(super) whom: String,
    pub(super) key: String,
    pub(super) provider: String,
    pub(super) mark: String,
    /// The page that explains how to connect.
    pub(super) guide: String,
    /// What people call the application that the account is linked to.
    pub(super) application: String,
    pub(super) how_to_revoke: String,
    pub(super) name: String,
    pub(super) name_error: String,
    pub(super) general_error: String,
    /// What was just done; empty for nothing.
    pub(super) done: String,
    pub(super) is_again: bool,
    /// Whether something that was typed speaks for another account than before, and whether that is meant.
    pub(super) other_account: Option<bool>,
    pub(super) filled_in: Vec<(String, String)>,
    pub(super) form: AccountForm,
    pub(super) report: Option<ReportView>,
    pub(super) has_choices: bool,
    /// Other APIs of the same vendor that the session may link as well: key, name, and whether it is this one.
    pub(super) family: Vec<(String, String, bool)>,
}

/// Asks about an OAuth client of somebody's own.
#[derive(Template)]
#[template(path = "connect/client.html")]
pub(super) struct ClientPage<'a> {
    pub(super) shell: &'a Shell,
    pub(super) look: &'a Look,
    pub(super) head: Head,
    pub(super) whom: String,
    pub(super) title: String,
    pub(super) mark: String,
    pub(super) key: String,
    pub(super) provider: String,
    pub(super) scheme: String,
    /// The client that is changed; empty for a new one.
    pub(super) client: String,
    pub(super) callback: String,
    pub(super) redirect_uri: String,
    /// How it is registered with the vendor, click by click.
    pub(super) steps: Vec<String>,
    /// Whether the vendor has a page for it, and where that is in the person's own tenant; empty while it is not known.
    pub(super) has_place: bool,
    pub(super) place: String,
    pub(super) name: String,
    pub(super) client_id: String,
    pub(super) has_secret: bool,
    /// Where it is registered, when that stands: labels and values.
    pub(super) address: Vec<(String, String)>,
    /// The fields that say where it is registered, when that is asked.
    pub(super) inputs: Vec<Input>,
    /// Id, words, and whether it is asked for.
    pub(super) scopes: Vec<(String, String, bool)>,
    pub(super) faults: BTreeMap<String, String>,
    pub(super) error: String,
    /// What was typed on the form that this step came from, and goes back to it.
    pub(super) carried: Vec<(String, String)>,
}

impl ClientPage<'_> {
    /// What is wrong with an input, or nothing.
    pub(super) fn fault(&self, field: &str) -> &str {
        self.faults.get(field).map_or("", String::as_str)
    }
}

/// The stages of a test alone, for browsers without scripts.
#[derive(Template)]
#[template(path = "connect/tested.html")]
pub(super) struct Tested<'a> {
    pub(super) shell: &'a Shell,
    pub(super) look: &'a Look,
    pub(super) report: Option<ReportView>,
    pub(super) faults: Vec<String>,
    pub(super) problem: Option<(String, String)>,
}

/// The account is linked.
#[derive(Template)]
#[template(path = "connect/linked.html")]
pub(super) struct Linked<'a> {
    pub(super) shell: &'a Shell,
    pub(super) look: &'a Look,
    pub(super) origins: String,
    pub(super) provider: String,
    pub(super) name: String,
    pub(super) key: String,
    pub(super) connection_id: String,
    pub(super) onward: String,
}

impl Head {
    pub(super) fn new(visit: &Visit, holder: &SessionAccess, token: &str) -> Self {
        let user = holder.draft.end_user.as_ref();
        let name = user.map(|user| user.display_name.as_ref().or(user.email.as_ref()).unwrap_or(&user.id));
        let organization = user.and_then(|user| user.organization.as_ref());
        let organization = organization.map(|known| known.display_name.as_ref().unwrap_or(&known.id));
        Self {
            action: visit.address(),
            origins: visit.origins(),
            token: token.to_owned(),
            user: name.cloned().unwrap_or_default(),
            organization: organization.cloned().unwrap_or_default(),
            ends_anywhere: !visit.settings.confirm_authorizations || holder.draft.return_url.is_some(),
            is_framed: visit.is_framed,
        }
    }
}

impl Card {
    pub(super) fn new(shell: &Shell, choice: &LinkChoice) -> Self {
        let name = name_of(shell, choice);
        Self {
            key: choice.key.clone(),
            mark: mark_of(&name),
            name,
            description: shell.of(&choice.provider.description).to_owned(),
            categories: choice.provider.categories.join(" "),
        }
    }
}

/// What people call an integration: its own name, or that of the provider in their language.
pub(super) fn name_of(shell: &Shell, choice: &LinkChoice) -> String {
    let provider = &choice.provider.name;
    match &choice.name {
        Some(name) if *name != provider.en => name.clone(),
        _ => shell.of(provider).to_owned(),
    }
}

/// The letter that stands for a provider.
pub(super) fn mark_of(name: &str) -> String {
    name.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default()
}

/// The form of a choice, with what was posted before and what is wrong with it.
pub(super) struct Asked<'a> {
    pub(super) platform: &'a Platform,
    pub(super) visit: &'a Visit,
    pub(super) form: &'a LinkForm,
    pub(super) posted: &'a Posted,
    pub(super) errors: &'a [FieldError],
}

impl Asked<'_> {
    pub(super) fn page(
        &self,
        head: Head,
        choices: &[LinkChoice],
        report: Option<ReportView>,
        problem: Option<(String, String)>,
    ) -> FormPage<'_> {
        let Self { visit, form, posted, errors, .. } = self;
        let (shell, provider) = (&visit.shell, &form.choice.provider);
        let again = form.again.as_ref();
        let mut values = posted.shown_again(provider);
        for (name, known) in again.map(|again| known_values(provider, &again.config)).into_iter().flatten() {
            values.entry(name).or_insert(known);
        }
        let faults = faults(shell, errors);
        let known: BTreeSet<String> = form.filled_in.keys().chain(&form.waiting).cloned().collect();
        let chosen = Some(posted.text("scheme")).filter(|scheme| !scheme.is_empty());
        let chosen = chosen.or(again.map(|again| again.auth_scheme.as_str()));
        let name_error = faults.get("name").cloned().unwrap_or_default();
        for (name, value) in &form.filled_in {
            values.insert(format!("c.{name}"), vec![value.clone()]);
        }
        let drawn = Drawn { shell, provider, platform: self.platform, values, faults, given: known };
        let mut drawn_form = drawn.form(&form.schemes, chosen);
        let is_meant = posted.has("other_account");
        let speaks_for_another = is_meant || errors.iter().any(|error| error.code == "other_account");
        for scheme in &mut drawn_form.schemes {
            scheme.clients = self.clients(&scheme.id);
        }
        drawn_form.folded = again.map(|again| again.is_lost || drawn_form.asks_for_address());
        let typed_name = posted.text("name");
        let application = match visit.look.name.as_str() {
            "" => shell.say("the-application"),
            name => name.to_owned(),
        };
        FormPage {
            shell,
            look: &visit.look,
            whom: visit.whom(&head, shell.of(&provider.name)),
            head,
            key: form.choice.key.clone(),
            provider: shell.of(&provider.name).to_owned(),
            mark: mark_of(&provider.name.en),
            guide: form.guide.clone().unwrap_or_else(|| guide_of(shell, &provider.id)),
            name: if typed_name.is_empty() { form.suggested_name.clone() } else { typed_name.to_owned() },
            name_error,
            general_error: problem.map(|(what, fix)| format!("{what} {fix}")).unwrap_or_default(),
            done: String::new(),
            is_again: again.is_some(),
            other_account: speaks_for_another.then(|| posted.text("other_account") == "yes"),
            filled_in: self.filled_in(),
            form: drawn_form,
            report,
            has_choices: choices.len() > 1,
            how_to_revoke: shell.say_all(
                "stored-revoke-text",
                [("provider", shell.of(&provider.name)), ("application", application.as_str())],
            ),
            application,
            family: family(shell, &form.choice, choices),
        }
    }

    /// The vendor's pages that are known, by the ids of what they are about.
    pub(super) fn places(&self) -> BTreeMap<String, String> {
        let Self { visit, form, posted, platform, .. } = self;
        let provider = &form.choice.provider;
        let mut values = posted.shown_again(provider);
        for (name, value) in &form.filled_in {
            values.insert(format!("c.{name}"), vec![value.clone()]);
        }
        let (shell, given) = (&visit.shell, BTreeSet::new());
        let drawn = Drawn { shell, provider, platform, values, faults: BTreeMap::new(), given };
        let mut places = drawn.form(&form.schemes, None).places();
        for scheme in provider.auth.iter().filter(|scheme| scheme.link.is_some()) {
            let place = place_of(platform, scheme.link.as_ref(), &drawn.config("c", 0));
            places.insert(format!("scheme-{}", scheme.id), place);
        }
        places.retain(|_, place| !place.is_empty());
        places
    }

    /// The OAuth clients of an auth scheme, where the session lets somebody choose.
    fn clients(&self, scheme: &str) -> Option<ClientsView> {
        let Self { visit, form, posted, errors, .. } = self;
        let known = form.clients.get(scheme)?;
        if known.is_empty() && !form.may_manage_clients {
            return None;
        }
        let input = client_input(scheme);
        let posted = posted.has(&input).then(|| posted.text(&input));
        let options = known.iter().map(|client| ClientOption {
            is_own: client.is_own && form.may_manage_clients,
            is_finished: client.is_finished,
            chosen: posted.map_or(client.is_preferred, |id| id == client.id),
            ..ClientOption::new(&form.choice.provider, &client.id, &client.name, &client.config)
        });
        let fault = errors.iter().find(|error| error.field == "oauth_client");
        Some(ClientsView {
            options: options.collect(),
            action: if form.may_manage_clients {
                format!("{}/client", visit.address())
            } else {
                String::new()
            },
            is_link: false,
            error: fault.map(|fault| visit.shell.of(&fault.message).to_owned()).unwrap_or_default(),
            input,
        })
    }

    /// What the embedder filled in and is shown: the fields that the form would ask for.
    fn filled_in(&self) -> Vec<(String, String)> {
        let provider = &self.form.choice.provider;
        let label = |(name, value): (&String, &String)| {
            let field = provider.config.get(name).filter(|field| !field.secret)?;
            Some((self.visit.shell.of(&field.label).to_owned(), value.clone()))
        };
        self.form.filled_in.iter().filter_map(label).collect()
    }
}

/// The page of the manual about a provider, in the language of the page.
fn guide_of(shell: &Shell, provider: &str) -> String {
    shell.to(&format!("/docs/providers/{provider}?lang={}", shell.language()))
}

/// The APIs of one vendor among the choices, by what their files say; empty when there is one.
fn family(shell: &Shell, chosen: &LinkChoice, choices: &[LinkChoice]) -> Vec<(String, String, bool)> {
    let Some(own) = &chosen.provider.family else { return Vec::new() };
    let same = choices.iter().filter_map(|choice| {
        let family = choice.provider.family.as_ref().filter(|family| family.id == own.id)?;
        Some((choice.key.clone(), shell.of(&family.api).to_owned(), choice.key == chosen.key))
    });
    let same: Vec<_> = same.collect();
    if same.len() > 1 { same } else { Vec::new() }
}
