//! What the connection test looks at, and what failures mean.

use std::collections::BTreeSet;

use tombolo_platform::catalog::{Encoding, Explanation, Scope, Stage};

use super::super::markdown::compose::{code, text};
use super::Guide;
use super::steps::numbered;

impl Guide<'_> {
    /// The stages of the connection test.
    pub(super) fn test(&mut self) {
        let (provider, say) = (self.provider, self.say);
        self.heading(2, &say.text("guide-test"));
        self.paragraph(&say.text("guide-test-lead"));
        let way = ["guide-stage-name", "guide-stage-connect", "guide-stage-tls"];
        let mut stages: Vec<String> = way.iter().map(|key| say.text(key)).collect();
        stages.extend(provider.test.iter().map(|stage| self.stage(stage)));
        let limits = &provider.limits.concurrency;
        if limits.as_ref().is_some_and(|limits| limits.running_header.is_some()) {
            stages.push(say.text("guide-stage-budget"));
        }
        self.markdown.push_str(&numbered(&stages));
        self.markdown.push('\n');
        if provider.test.iter().all(|stage| stage.accept.any_answer) {
            self.paragraph(&say.text("guide-test-any-answer"));
        }
        self.paragraph(&say.text("guide-test-end"));
    }

    fn stage(&self, stage: &Stage) -> String {
        let (provider, say) = (self.provider, self.say);
        let label = |name: &str| {
            provider.config.get(name).map_or_else(|| code(name), |field| text(say.of(&field.label)))
        };
        let labels =
            provider.config.iter().map(|(name, _)| (name.to_owned(), format!("{{{name}}}"))).collect();
        let scope = Scope { config: Some(&labels), entry: Some(&labels), ..Scope::default() };
        let path = stage.request.path.render(&scope, Encoding::Text);
        let path = path.unwrap_or_else(|_| stage.request.path.source().to_owned());
        let mut words = format!(
            "**{}** {}",
            text(say.of(&stage.name)),
            code(&format!("{} {path}", stage.request.method))
        );
        let mut add = |note: String| words.push_str(&note);
        if let Some(list) = &stage.for_each {
            add(say.with("guide-stage-each", &[("list", &label(list))]));
        }
        if let Some(field) = &stage.when {
            let gate = provider.gates.iter().find_map(|gate| gate.fields.get(field));
            let field = gate.map_or_else(|| label(field), |field| text(say.of(&field.label)));
            add(say.with("guide-stage-when", &[("field", &field)]));
        }
        if let Some(schemes) = &stage.schemes {
            let names = schemes.iter().filter_map(|id| provider.scheme(id));
            let names: Vec<String> = names.map(|scheme| text(say.of(&scheme.name))).collect();
            let names = names.join(&say.text("list-separator"));
            add(say.with("guide-stage-schemes", &[("schemes", &names)]));
        }
        if stage.capability.is_some() {
            add(say.text("guide-stage-capability"));
        }
        words
    }

    /// What is said when something fails, and what to do.
    pub(super) fn failures(&mut self) {
        let say = self.say;
        self.heading(2, &say.text("guide-failures"));
        self.paragraph(&say.text("guide-failures-lead"));
        let (own, common) = (self.own_failures, self.common_failures);
        if !own.is_empty() {
            let name = self.name();
            self.heading(3, &say.with("guide-failures-own", &[("name", &name)]));
            self.rows(own);
        }
        self.heading(3, &say.text("guide-failures-common"));
        self.rows(common);
    }

    fn rows(&mut self, rows: &[Explanation]) {
        let mut told = BTreeSet::new();
        for failure in rows {
            let (says, fix) = (self.with_holes_named(&failure.says), self.with_holes_named(&failure.fix));
            let marks = failure.codes.iter().map(|mark| code(mark));
            let statuses: Vec<String> = failure.statuses.iter().map(ToString::to_string).collect();
            let statuses = (!statuses.is_empty()).then(|| format!("HTTP {}", statuses.join(", ")));
            let marks: Vec<String> = marks.chain(statuses).collect();
            let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
            let line = format!("**{says}** {fix}{marks}");
            if told.insert(line.clone()) {
                self.item(&line);
            }
        }
    }
}
