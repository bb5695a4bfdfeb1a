//! Ids of headings, as links within Markdown on other sites write them too.

use std::collections::HashMap;

/// Longest id in characters; links to it still fit into a line.
const LONGEST: usize = 80;

/// The ids of one page.
#[derive(Debug, Default)]
pub(super) struct Slugs {
    taken: HashMap<String, usize>,
}

impl Slugs {
    /// The id of the next heading: its letters and digits in lower case, with `-` for blanks; a number after it when an
    /// earlier heading has the same.
    pub(super) fn next(&mut self, heading: &str) -> String {
        let slug = slug(heading);
        let count = self.taken.entry(slug.clone()).or_default();
        let id = if *count == 0 { slug } else { format!("{slug}-{count}") };
        *count += 1;
        id
    }
}

/// The id of a heading that no other has.
pub(in super::super) fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|character| match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        other if other.is_alphanumeric() => Some(other),
        _ => None,
    });
    let slug: String = kept.flat_map(char::to_lowercase).take(LONGEST).collect();
    if slug.is_empty() { "section".to_owned() } else { slug }
}
