//! Where links of the manual lead: from file to file in its sources, from page to page in a browser.

use tombolo_platform::catalog::Language;

use super::shelf::HOME;

/// Where the pages are, for one reader.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses<'a> {
    /// What every path of the server begins with; empty, or without a slash at its end.
    pub base: &'a str,
    /// The language that the reader asked for in the address, which links then keep.
    pub language: Option<Language>,
}

impl Addresses<'_> {
    /// The address of a page below `/docs`, such as `linking`, `providers/kintone` or `README`.
    pub(super) fn page(&self, page: &str) -> String {
        self.with_language(self.language, page, "")
    }

    /// The address of a page in another language.
    pub(super) fn page_in(&self, language: Language, page: &str) -> String {
        self.with_language(Some(language), page, "")
    }

    /// The address of a page's source, as the header `Link` and programs have it.
    pub(super) fn source(&self, page: &str, language: Language, is_article: bool) -> String {
        let base = self.base;
        match (language, is_article) {
            (Language::En, _) => format!("{base}/docs/{page}.md"),
            (Language::Ja, true) => format!("{base}/docs/ja/{page}.md"),
            (Language::Ja, false) => format!("{base}/docs/{page}.md?lang=ja"),
        }
    }

    /// Where a link leads that stands in the source of a page. `None` when it leads nowhere that a page may lead to.
    pub(super) fn link(&self, from: &str, to: &str) -> Option<String> {
        if to.starts_with("https://") || to.starts_with("http://") || to.starts_with("mailto:") {
            return Some(to.to_owned());
        }
        if to.starts_with('#') {
            return Some(to.to_owned());
        }
        if to.contains(':') || to.starts_with('/') || to.contains('\\') {
            return None;
        }
        let (path, anchor) = to.split_once('#').map_or((to, ""), |(path, anchor)| (path, anchor));
        let mut steps: Vec<&str> = from.split('/').collect();
        steps.pop();
        for step in path.split('/') {
            match step {
                "." | "" => {}
                // A link that leaves the manual leads nowhere.
                ".." => drop(steps.pop()?),
                other => steps.push(other),
            }
        }
        if steps == ["openapi.json"] {
            return Some(format!("{}/openapi.json", self.base));
        }
        let joined = steps.join("/");
        let Some(page) = joined.strip_suffix(".md") else {
            return Some(format!("{}/docs/{joined}", self.base));
        };
        match page.strip_prefix("ja/") {
            Some(page) => Some(self.with_language(Some(Language::Ja), page, anchor)),
            None => Some(self.with_language(self.language, page, anchor)),
        }
    }

    fn with_language(&self, language: Option<Language>, page: &str, anchor: &str) -> String {
        let path = if page == HOME { String::new() } else { format!("/{page}") };
        let language = match language {
            Some(Language::En) => "?lang=en",
            Some(Language::Ja) => "?lang=ja",
            None => "",
        };
        let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
        format!("{}/docs{path}{language}{anchor}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_between_files_lead_from_page_to_page() {
        let plain = Addresses { base: "", language: None };
        let below = Addresses { base: "/tombolo", language: Some(Language::Ja) };
        for (addresses, from, to, expected) in [
            (plain, "README", "linking.md", Some("/docs/linking")),
            (plain, "linking", "cli.md#exit-codes", Some("/docs/cli#exit-codes")),
            (plain, "linking", "README.md", Some("/docs")),
            (plain, "linking", "#oauth", Some("#oauth")),
            (plain, "linking", "openapi.json", Some("/openapi.json")),
            (plain, "linking", "ja/quick-start.md", Some("/docs/quick-start?lang=ja")),
            (plain, "ja/quick-start", "../calling.md", Some("/docs/calling")),
            (plain, "providers/kintone", "../calling.md", Some("/docs/calling")),
            (plain, "api", "api/jobs.md#lists-jobs", Some("/docs/api/jobs#lists-jobs")),
            (plain, "linking", "images/form.png", Some("/docs/images/form.png")),
            (plain, "linking", "https://example.com/a", Some("https://example.com/a")),
            (plain, "linking", "../config.default.toml", None),
            (plain, "linking", "javascript:alert(1)", None),
            (plain, "linking", "//evil.example", None),
            (plain, "linking", "data:text/html,x", None),
            (below, "linking", "cli.md#a", Some("/tombolo/docs/cli?lang=ja#a")),
            (below, "linking", "openapi.json", Some("/tombolo/openapi.json")),
        ] {
            assert_eq!(addresses.link(from, to).as_deref(), expected, "{from} -> {to}");
        }
    }
}
