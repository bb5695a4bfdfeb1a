//! The list of all providers, and what of it somebody looks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use tombolo_platform::catalog::{Catalog, Provider};

use super::markdown::compose::{prose, text};
use super::say::Say;
use super::search::folded;

/// Providers on one page of the list.
pub(super) const PAGE: usize = 60;

/// The list as Markdown.
pub(super) fn source(catalog: &Catalog, say: Say) -> String {
    let mut markdown = format!("# {}\n\n{}\n\n", say.text("page-providers"), say.text("providers-lead"));
    for provider in in_order(catalog, say) {
        let (name, description) = (text(say.of(&provider.name)), prose(say.of(&provider.description)));
        markdown.extend([format!("- [{name}](providers/{}.md): {description}\n", provider.id)]);
    }
    markdown
}

/// Providers that have every word of a question in their names, ids or categories, and are filed under a category.
pub(super) fn find<'a>(
    catalog: &'a Catalog,
    say: Say,
    question: &str,
    category: &str,
) -> Vec<&'a Arc<Provider>> {
    let question = folded(question);
    let fits = |provider: &&Arc<Provider>| {
        let names =
            [provider.id.as_str(), &provider.name.en, &provider.name.ja, say.of(&provider.description)];
        let all = folded(&format!("{} {}", names.join(" "), provider.categories.join(" ")));
        let is_filed = category.is_empty() || provider.categories.iter().any(|known| known == category);
        is_filed && question.split_whitespace().all(|word| all.contains(word))
    };
    in_order(catalog, say).into_iter().filter(fits).collect()
}

/// The categories with the number of providers in each, the fullest first.
pub(super) fn categories(catalog: &Catalog) -> Vec<(&str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for category in catalog.iter().flat_map(|provider| &provider.categories) {
        *counts.entry(category).or_default() += 1;
    }
    let mut categories: Vec<(&str, usize)> = counts.into_iter().collect();
    categories.sort_by(|(_, a), (_, b)| b.cmp(a));
    categories
}

/// Those of the program first, because they are the ones that are explained best; then by name.
fn in_order(catalog: &Catalog, say: Say) -> Vec<&Arc<Provider>> {
    let mut providers: Vec<&Arc<Provider>> = catalog.iter().collect();
    providers
        .sort_by_cached_key(|provider| (!Catalog::is_built_in(&provider.id), folded(say.of(&provider.name))));
    providers
}
