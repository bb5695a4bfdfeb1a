//! One way to sign in: what it reaches, how it travels, and the way to a connection with it.

use tombolo_platform::catalog::{AuthScheme, Flow, OAuth1Flow, Placement, SchemeKind};

use super::super::markdown::compose::{block, code, prose, text};
use super::{Guide, picture};

impl Guide<'_> {
    /// Everything about one auth scheme.
    pub(super) fn scheme(&mut self, scheme: &AuthScheme) {
        let say = self.say;
        let name = text(say.of(&scheme.name));
        self.heading(2, &say.with("guide-scheme", &[("scheme", &name)]));
        let reach = self.reach(scheme);
        self.paragraph(&format!("**{}** {reach}", say.text("guide-reach")));
        for fact in self.facts(scheme) {
            self.item(&fact);
        }
        if let Some(oauth2) = scheme.oauth2().filter(|oauth2| !oauth2.scopes.is_empty()) {
            self.item(&say.text("guide-scopes"));
            for scope in &oauth2.scopes {
                let default = if scope.default { String::new() } else { say.text("guide-scope-extra") };
                let says = prose(say.of(&scope.says));
                self.markdown.extend([format!("  - {}: {says}{default}\n", code(&scope.id))]);
            }
        }
        for refused in &scheme.unavailable {
            let (says, fix) = (prose(say.of(&refused.says)), prose(say.of(&refused.fix)));
            self.item(&format!("{} {says} {fix}", code(&refused.at.to_string())));
        }
        self.markdown.push('\n');
        let alternative = picture::alternative(self.provider, scheme, say);
        let file = format!("{}/{}.svg", self.provider.id, scheme.id);
        self.paragraph(&format!("![{}]({file})", text(&alternative)));
        self.heading(3, &say.text("guide-steps"));
        let steps = self.steps(scheme);
        self.markdown.push_str(&steps);
        self.heading(3, &say.text("guide-command"));
        let command = self.command(scheme);
        self.markdown.push_str(&block("sh", &command));
    }

    /// What the scheme reaches and who can revoke it.
    pub(super) fn reach(&self, scheme: &AuthScheme) -> String {
        if let Some(explain) = &scheme.explain {
            return prose(self.say.of(explain));
        }
        let key = match &scheme.kind {
            SchemeKind::ApiKey { .. } | SchemeKind::Template => "guide-reach-key",
            SchemeKind::Basic { .. } | SchemeKind::EncodedPassword { .. } => "guide-reach-password",
            SchemeKind::OAuth2(oauth2) if oauth2.flow == Flow::AuthorizationCode => "guide-reach-person",
            SchemeKind::OAuth1(oauth1) if oauth1.flow == OAuth1Flow::ThreeLegged => "guide-reach-person",
            SchemeKind::OAuth2(_) => "guide-reach-client",
            SchemeKind::Unauthenticated => "guide-reach-nothing",
            SchemeKind::SessionCookie { .. } => "guide-reach-session",
            SchemeKind::Jwt { .. }
            | SchemeKind::Login { .. }
            | SchemeKind::OAuth1(_)
            | SchemeKind::AwsSigV4(_) => "guide-reach-account",
        };
        self.say.with(key, &[("name", &self.name())])
    }

    /// How the credential travels, how long it lasts, and what else is to be known.
    fn facts(&self, scheme: &AuthScheme) -> Vec<String> {
        let say = self.say;
        let header = |name: &str| say.with("guide-sent-header", &[("header", &code(name))]);
        let mut facts = Vec::new();
        facts.push(match &scheme.kind {
            SchemeKind::ApiKey { placement: Placement::Header(name), .. } => header(name),
            SchemeKind::ApiKey { placement: Placement::Query(name), .. } => {
                say.with("guide-sent-query", &[("parameter", &code(name))])
            }
            SchemeKind::Basic { .. } => say.text("guide-sent-basic"),
            SchemeKind::EncodedPassword { header, .. } => {
                say.with("guide-sent-encoded", &[("header", &code(header))])
            }
            SchemeKind::OAuth2(_) => say.text("guide-sent-token"),
            SchemeKind::Unauthenticated => say.text("guide-sent-nothing"),
            SchemeKind::Template => say.text("guide-sent-template"),
            SchemeKind::Jwt { .. } => say.text("guide-sent-signed-token"),
            SchemeKind::Login { .. } => say.text("guide-sent-login"),
            SchemeKind::OAuth1(_) | SchemeKind::AwsSigV4(_) => say.text("guide-sent-signature"),
            SchemeKind::SessionCookie { cookie, .. } => {
                say.with("guide-sent-cookie", &[("cookie", &code(cookie))])
            }
        });
        if let Some(entries) = scheme.entries() {
            let by = self.provider.config.get(&entries.by).map(|field| text(say.of(&field.label)));
            let by = by.unwrap_or_else(|| code(&entries.by));
            let max = entries.max.to_string();
            facts.push(say.with("guide-several", &[("max", &max), ("by", &by)]));
        }
        if scheme.is_renewed() {
            facts.push(say.text("guide-renewed"));
        }
        if scheme.locks_out {
            facts.push(say.text("guide-locks-out"));
        }
        facts
    }
}
