//! The guide page of a provider, written as Markdown from its file alone: how to link an account of it, step by step, and
//! what failures mean.

mod command;
mod failures;
pub(super) mod picture;
mod scheme;
mod steps;

use std::collections::BTreeMap;

use tombolo_platform::catalog::{Explanation, FieldKind, Provider, Scope, TextTemplate};

use super::markdown::compose::{block, code, link, prose, row, text};
use super::say::Say;

/// Writes one guide.
pub(super) struct Guide<'a> {
    provider: &'a Provider,
    say: Say,
    /// The rows of the table of failures that only this provider has.
    own_failures: &'a [Explanation],
    /// Those that every provider has.
    common_failures: &'a [Explanation],
    markdown: String,
}

/// The guide in one language. `common_failures` is how many rows of the table of failures every provider has.
pub(super) fn guide(provider: &Provider, common_failures: usize, say: Say) -> String {
    let rows = provider.explanations.as_slice();
    let (own_failures, common_failures) = rows.split_at(rows.len().saturating_sub(common_failures));
    let mut guide = Guide { provider, say, own_failures, common_failures, markdown: String::new() };
    guide.overview();
    guide.before();
    guide.choice();
    for scheme in &provider.auth {
        guide.scheme(scheme);
    }
    guide.gates();
    guide.impossible();
    guide.test();
    guide.failures();
    guide.settings();
    guide.connected();
    guide.markdown
}

impl Guide<'_> {
    /// The provider's name within Markdown.
    fn name(&self) -> String {
        text(self.say.of(&self.provider.name))
    }

    fn heading(&mut self, level: usize, heading: &str) {
        self.markdown.extend([format!("\n{} {heading}\n\n", "#".repeat(level))]);
    }

    fn paragraph(&mut self, markdown: &str) {
        self.markdown.extend([format!("{markdown}\n\n")]);
    }

    fn item(&mut self, markdown: &str) {
        self.markdown.extend([format!("- {markdown}\n")]);
    }

    fn overview(&mut self) {
        let provider = self.provider;
        let name = self.name();
        self.markdown.extend([format!("# {name}\n\n")]);
        self.paragraph(&prose(self.say.of(&provider.description)));
        let hosts: Vec<String> =
            provider
                .hosts
                .iter()
                .map(|host| {
                    if host.is_typed() { self.say.text("guide-host-typed") } else { code(&host.to_string()) }
                })
                .collect();
        let schemes: Vec<String> =
            provider.auth.iter().map(|scheme| text(self.say.of(&scheme.name))).collect();
        let categories: Vec<String> = provider.categories.iter().map(|category| text(category)).collect();
        let documentation = link(&text(&provider.documentation), &provider.documentation);
        self.markdown.push_str("| | |\n|---|---|\n");
        for (key, value) in [
            ("guide-id", code(&provider.id)),
            ("guide-hosts", hosts.join(", ")),
            ("guide-schemes", schemes.join(&self.say.text("list-separator"))),
            ("guide-categories", categories.join(&self.say.text("list-separator"))),
            ("guide-documentation", documentation),
        ] {
            if !value.is_empty() {
                self.markdown.push_str(&row(&[&self.say.text(key), &value]));
            }
        }
    }

    /// What to have before one begins.
    fn before(&mut self) {
        let (provider, say, name) = (self.provider, self.say, self.name());
        self.heading(2, &say.text("guide-before"));
        self.item(&say.with("guide-before-account", &[("name", &name)]));
        for scheme in provider.auth.iter().filter(|scheme| scheme.needs_browser()) {
            let scheme = text(say.of(&scheme.name));
            self.item(&say.with("guide-before-client", &[("name", &name), ("scheme", &scheme)]));
        }
        for (_, field) in provider.config.iter().filter(|(_, field)| !field.optional && !field.automatic) {
            if field.default.is_none() && field.kind != FieldKind::Choice {
                let help = field.help.as_ref().map(|help| format!(": {}", prose(say.of(help))));
                let label = format!("**{}**", text(say.of(&field.label)));
                self.item(&format!("{label}{}", help.unwrap_or_default()));
            }
        }
        for gate in &provider.gates {
            let explain = gate.explain.as_ref().map(|explain| prose(say.of(explain)));
            let explain = explain.unwrap_or_else(|| say.text("guide-gate-explain"));
            self.item(&format!("**{}**: {explain}", text(say.of(&gate.name))));
        }
    }

    /// Which way to sign in, where there are several.
    fn choice(&mut self) {
        let (provider, say) = (self.provider, self.say);
        if provider.auth.len() < 2 {
            return;
        }
        self.heading(2, &say.text("guide-choice"));
        let (way, reach) = (say.text("guide-choice-way"), say.text("guide-reach"));
        self.markdown.push_str(&row(&[&way, &reach]));
        self.markdown.push_str("|---|---|\n");
        for scheme in &provider.auth {
            let way = format!("**{}**", text(say.of(&scheme.name)));
            self.markdown.push_str(&row(&[&way, &self.reach(scheme)]));
        }
    }

    /// What stands in front of the API.
    fn gates(&mut self) {
        let (provider, say) = (self.provider, self.say);
        if provider.gates.is_empty() {
            return;
        }
        self.heading(2, &say.text("guide-gates"));
        for gate in &provider.gates {
            self.heading(3, &text(say.of(&gate.name)));
            let explain = gate.explain.as_ref().map(|explain| prose(say.of(explain)));
            self.paragraph(&explain.unwrap_or_else(|| say.text("guide-gate-explain")));
            self.markdown.push_str(&self.field_list(&gate.fields));
            if !gate.twins.is_empty() {
                let twins: Vec<String> = gate.twins.iter().map(|pair| code(&pair.twin.to_string())).collect();
                self.markdown.push('\n');
                self.paragraph(&say.with("guide-gate-twins", &[("hosts", &twins.join(", "))]));
            }
        }
    }

    /// What the vendor does not offer together.
    fn impossible(&mut self) {
        let (provider, say) = (self.provider, self.say);
        if provider.impossible.is_empty() {
            return;
        }
        self.heading(2, &say.text("guide-impossible"));
        for pair in &provider.impossible {
            self.item(&format!("**{}** {}", prose(say.of(&pair.says)), prose(say.of(&pair.fix))));
        }
    }

    fn settings(&mut self) {
        let (provider, say) = (self.provider, self.say);
        self.heading(2, &say.text("guide-settings"));
        self.paragraph(&say.text("guide-settings-lead"));
        let head = ["guide-setting", "guide-meaning", "guide-default"].map(|key| say.text(key));
        self.markdown.push_str(&row(&head.each_ref().map(String::as_str)));
        self.markdown.push_str("|---|---|---|\n");
        for (key, setting) in provider.settings.iter() {
            let label = text(say.of(&setting.field.label));
            let help = setting.field.help.as_ref().map(|help| prose(say.of(help))).unwrap_or_default();
            let default = setting.field.default.as_deref().map(code).unwrap_or_default();
            self.markdown.push_str(&row(&[&code(key), &format!("{label}. {help}"), &default]));
        }
    }

    /// The last lines.
    fn connected(&mut self) {
        let (say, name) = (self.say, self.name());
        self.heading(2, &say.text("guide-connected"));
        self.paragraph(&say.text("guide-connected-lead"));
        let call = self.example_call();
        self.markdown.push_str(&block("sh", &call));
        self.markdown.push('\n');
        self.paragraph(&format!("**{}**", say.with("guide-now-connected", &[("name", &name)])));
    }

    /// A text of the provider file with its holes named instead of filled.
    fn with_holes_named(&self, template: &TextTemplate) -> String {
        let label = |(name, field): (&str, &_)| {
            let field: &tombolo_platform::catalog::Field = field;
            (name.to_owned(), format!("‹{}›", self.say.of(&field.label)))
        };
        let labels: BTreeMap<String, String> = self.provider.config.iter().map(label).collect();
        let answer = ["status", "code", "id", "message"].map(|name| (name.to_owned(), "…".to_owned()));
        let scope =
            Scope { config: Some(&labels), entry: Some(&labels), answer: Some(&BTreeMap::from(answer)) };
        prose(self.say.of(&template.render(&scope)))
    }
}
