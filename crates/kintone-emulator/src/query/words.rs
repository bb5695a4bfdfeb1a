//! The word search behind `like`.
//!
//! The service searches an index of words, not of characters. Its tokenizer is not published; this one keeps
//! what users of the service see: letters and digits of Latin scripts form whole words, so that `like "kint"`
//! does not find `kintone`; in scripts without spaces every character is a word, so that `like "大阪"` finds
//! `新大阪駅`; several words must stand next to each other; case, width and punctuation do not matter.

/// The words of a text, in order.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut open = String::new();
    for c in text.chars().map(half_width).flat_map(char::to_lowercase) {
        if c.is_alphanumeric() && is_spaced_script(c) {
            open.push(c);
            continue;
        }
        if !open.is_empty() {
            words.push(std::mem::take(&mut open));
        }
        if c.is_alphanumeric() {
            words.push(c.to_string());
        }
    }
    if !open.is_empty() {
        words.push(open);
    }
    words
}

/// Whether the searched words stand next to each other in the text. A search without a word finds nothing.
pub(super) fn contains(text: &str, searched: &[String]) -> bool {
    !searched.is_empty() && words(text).windows(searched.len()).any(|window| window == searched)
}

/// Full-width forms of the ASCII characters are the same words as the ASCII characters.
fn half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    }
}

/// Whether words of this character's script are written with spaces between them. The scripts before Hangul
/// Jamo and the Latin extensions are; kana, ideographs, and what lies between are not.
fn is_spaced_script(c: char) -> bool {
    matches!(c as u32, 0..=0x0DFF | 0x10A0..=0x10FF | 0x1E00..=0x1FFF | 0xAC00..=0xD7A3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_words_not_substrings() {
        let cases = [
            ("kintone is here", "kintone", true),
            ("kintone is here", "kint", false),
            ("KINTONE, really", "kintone really", true),
            ("kintone is really", "kintone really", false),
            ("新大阪駅", "大阪", true),
            ("京都と大津", "京津", false),
            ("ｋｉｎｔｏｎｅ　アプリ", "kintone アプリ", true),
            ("report-2024.pdf", "2024", true),
            ("naïve café", "CAFÉ", true),
            ("anything", "", false),
            ("anything", "---", false),
            ("", "x", false),
        ];
        for (text, searched, found) in cases {
            assert_eq!(contains(text, &words(searched)), found, "{text} like {searched}");
        }
    }
}
