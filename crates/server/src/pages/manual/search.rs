//! Search over the manual: every word has to be there, and headings count for more than what stands below them.

use unicode_normalization::UnicodeNormalization as _;

use super::markdown::{Section, escaped};

/// Most results that a page shows.
pub(super) const RESULTS_MAX: usize = 30;
/// Most characters of a question that are looked at.
const QUESTION_MAX: usize = 200;
/// Characters of an excerpt before and after what was found.
const AROUND: usize = 70;

/// A part of the manual that can be found.
#[derive(Debug)]
pub(super) struct Entry {
    /// The page, such as `linking`.
    pub page: String,
    /// What the page is called.
    pub title: String,
    /// What the link ends with after `#`; empty for the page itself.
    pub anchor: String,
    /// The heading of the part.
    pub heading: String,
    /// What is shown of it.
    text: String,
    folded_title: String,
    folded_heading: String,
    folded_text: String,
}

/// A part that was found.
pub(super) struct Found<'a> {
    /// Where.
    pub entry: &'a Entry,
    /// The words around what was found, as HTML with `mark` around it.
    pub excerpt: String,
}

impl Entry {
    pub(super) fn new(page: &str, title: &str, section: &Section) -> Self {
        let text = section.text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            page: page.to_owned(),
            title: title.to_owned(),
            anchor: section.id.clone(),
            heading: section.heading.clone(),
            folded_title: folded(title),
            folded_heading: folded(&section.heading),
            folded_text: folded(&text),
            text,
        }
    }

    /// How well all words fit; `None` where one is missing.
    fn weight(&self, words: &[String]) -> Option<usize> {
        let mut weight = 0;
        for word in words {
            let in_title = usize::from(self.folded_title.contains(word)) * 20;
            let in_heading = usize::from(self.folded_heading.contains(word)) * 30;
            let in_text = self.folded_text.matches(word).take(8).count();
            let of_word = in_title + in_heading + in_text;
            // The title alone would find every part of a page.
            let is_here = in_heading + in_text > 0 || self.anchor.is_empty();
            if of_word == 0 || !is_here {
                return None;
            }
            weight += of_word;
        }
        Some(weight + usize::from(self.anchor.is_empty()) * 5)
    }
}

/// The parts that have every word of a question, the best first.
pub(super) fn search<'a>(entries: impl Iterator<Item = &'a Entry>, question: &str) -> Vec<Found<'a>> {
    let words = words(question);
    if words.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(usize, &Entry)> =
        entries.filter_map(|entry| Some((entry.weight(&words)?, entry))).collect();
    found.sort_by(|(a, _), (b, _)| b.cmp(a));
    let best = found.into_iter().take(RESULTS_MAX);
    best.map(|(_, entry)| Found { entry, excerpt: excerpt(&entry.text, &words) }).collect()
}

/// The words of a question, as they are compared.
fn words(question: &str) -> Vec<String> {
    let question: String = question.chars().take(QUESTION_MAX).collect();
    folded(&question).split_whitespace().map(str::to_owned).collect()
}

/// A text as it is compared: without case, width and the difference between the two kana.
pub(super) fn folded(text: &str) -> String {
    let plain = text.nfkc().flat_map(char::to_lowercase);
    plain
        .map(|character| match character {
            // Katakana stand 0x60 behind hiragana.
            'ァ'..='ヶ' => char::from_u32(character as u32 - 0x60).unwrap_or(character),
            other => other,
        })
        .collect()
}

/// The words around the first thing found, marked.
fn excerpt(text: &str, words: &[String]) -> String {
    // Folding may change the length, so the place is found character by character.
    let characters: Vec<char> = text.chars().collect();
    let folded: Vec<String> = characters.iter().map(|character| folded(&character.to_string())).collect();
    let starts_here = |at: usize, word: &str| -> Option<usize> {
        let mut rest = word;
        let mut end = at;
        while !rest.is_empty() {
            let piece = folded.get(end).filter(|piece| !piece.is_empty())?;
            rest = rest.strip_prefix(piece.as_str())?;
            end += 1;
        }
        Some(end)
    };
    let marks: Vec<(usize, usize)> = (0..characters.len())
        .filter_map(|at| words.iter().filter_map(|word| starts_here(at, word)).max().map(|end| (at, end)))
        .collect();
    let first = marks.first().map_or(0, |(start, _)| *start);
    let from = word_from(&characters, first.saturating_sub(AROUND)).min(first);
    let to = word_from(&characters, (first + 2 * AROUND).min(characters.len()));
    let mut html = if from > 0 { "…".to_owned() } else { String::new() };
    let mut at = from;
    while at < to {
        let mark = marks.iter().find(|(start, _)| *start == at);
        let end = mark.map_or(at + 1, |(_, end)| *end);
        let piece: String = characters[at..end].iter().collect();
        if mark.is_some() {
            html.extend([format!("<mark>{}</mark>", escaped(&piece))]);
        } else {
            html.push_str(&escaped(&piece));
        }
        at = end;
    }
    html.push_str(if to < characters.len() { "…" } else { "" });
    html
}

/// Where the next word begins, if one does soon; Japanese has no blanks to wait for.
fn word_from(characters: &[char], at: usize) -> usize {
    const LONGEST_WORD: usize = 16;
    if at == 0 || at >= characters.len() {
        return at;
    }
    let rest = characters[at - 1..].iter().take(LONGEST_WORD).position(|character| *character == ' ');
    rest.map_or(at, |blank| at + blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(page: &str, anchor: &str, heading: &str, text: &str) -> Entry {
        let section =
            Section { level: 2, id: anchor.to_owned(), heading: heading.to_owned(), text: text.to_owned() };
        Entry::new(page, "The page", &section)
    }

    #[test]
    fn every_word_counts_in_any_case_width_and_kana() {
        let entries = [
            entry("a", "tokens", "Tokens", "A token is renewed ahead of its end."),
            entry("b", "", "", "Renewing <b>tokens</b> & more"),
            entry("c", "x", "ゲストスペース", "ｱﾌﾟﾘをゲストスペースで使います。"),
        ];
        let pages = |question: &str| {
            let found = search(entries.iter(), question);
            found.iter().map(|found| found.entry.page.as_str()).collect::<Vec<_>>().join(" ")
        };
        for (question, expected) in [
            ("token", "a b"),
            ("TOKEN renewed", "a"),
            ("ｔｏｋｅｎ　end", "a"),
            ("げすとすぺーす", "c"),
            ("アプリ", "c"),
            ("page", "b"),
            ("absent", ""),
            ("token absent", ""),
            ("", ""),
            ("   ", ""),
        ] {
            assert_eq!(pages(question), expected, "{question}");
        }
        let found = search(entries.iter(), "TOKENS <b>");
        assert_eq!(
            found[0].excerpt,
            "Renewing <mark>&lt;b&gt;</mark><mark>tokens</mark>&lt;/b&gt; &amp; more"
        );
        let long = entry("d", "x", "", &format!("{} needle {}", "before ".repeat(30), "after ".repeat(60)));
        let found = search([&long].into_iter(), "needle");
        let shown = &found[0].excerpt;
        assert!(shown.starts_with("…before ") && shown.ends_with("after …"), "{shown}");
        let found = search(entries.iter(), "げすと");
        assert_eq!(found[0].excerpt, "ｱﾌﾟﾘを<mark>ゲスト</mark>スペースで使います。");
    }
}
