//! A drawing of the form, made from the fields that the form itself is made from.

use tombolo_platform::catalog::{AuthScheme, Field, FieldKind, Provider};

use super::super::markdown::escaped;
use super::super::say::Say;

const WIDTH: u32 = 440;
const MARGIN: u32 = 24;
const INNER: u32 = WIDTH - 2 * MARGIN;
const BOX: u32 = 36;
/// Most lines of help below a field; the whole of it stands in the steps.
const HELP_LINES: usize = 3;

/// The colours where the drawing stands alone; on our pages the style sheet has them.
const STYLE: &str = "<style>.form-picture{--picture-paper:#fff;--picture-ink:#1b1f24;--picture-soft:#59636e;--picture-line:#c5ccd3;\
    --picture-field:#f6f8fa;--picture-main:#0b5cad;--picture-on-main:#fff;font-family:system-ui,sans-serif}\
    @media(prefers-color-scheme:dark){.form-picture{--picture-paper:#15191e;--picture-ink:#e8ecf0;--picture-soft:#a2adb8;\
    --picture-line:#444d57;--picture-field:#1e242b;--picture-main:#8ac0ff;--picture-on-main:#0b1a2b}}\
    .picture-paper{fill:var(--picture-paper);stroke:var(--picture-line)}.picture-field{fill:var(--picture-field);stroke:var(--picture-line)}\
    .picture-ink{fill:var(--picture-ink)}.picture-soft{fill:var(--picture-soft)}.picture-main{fill:var(--picture-main)}\
    .picture-on-main{fill:var(--picture-on-main)}.picture-line{stroke:var(--picture-soft);fill:none}</style>";

/// What the drawing shows, for whoever does not see it.
pub(super) fn alternative(provider: &Provider, scheme: &AuthScheme, say: Say) -> String {
    let labels: Vec<String> = rows(provider, scheme, say).into_iter().map(|row| row.label).collect();
    let labels = labels.join(&say.text("list-separator"));
    say.with("picture-alternative", &[("name", say.of(&provider.name)), ("labels", &labels)])
}

/// The drawing as part of an HTML page.
pub(in super::super) fn inline(provider: &Provider, scheme: &AuthScheme, say: Say) -> String {
    drawing(provider, scheme, say, "")
}

/// The drawing as a file of its own.
pub(in super::super) fn file(provider: &Provider, scheme: &AuthScheme, say: Say) -> String {
    drawing(provider, scheme, say, STYLE)
}

/// One line of the form: a field, or a part that can be opened.
struct Row {
    label: String,
    help: Option<String>,
    value: Value,
}

enum Value {
    Text(String),
    Dots,
    Choice(String),
    File(String),
    /// A gate, which is closed until somebody needs it.
    Closed,
}

fn rows(provider: &Provider, scheme: &AuthScheme, say: Say) -> Vec<Row> {
    let name = say.of(&provider.name).to_owned();
    let mut rows = vec![Row { label: say.text("picture-name"), help: None, value: Value::Text(name) }];
    if provider.auth.len() > 1 {
        let value = Value::Choice(say.of(&scheme.name).to_owned());
        rows.push(Row { label: say.text("picture-scheme"), help: None, value });
    }
    for fields in [&provider.config, &scheme.fields] {
        rows.extend(fields.iter().filter(|(_, field)| !field.automatic).map(|(_, field)| row(field, say)));
    }
    for gate in &provider.gates {
        rows.push(Row { label: say.of(&gate.name).to_owned(), help: None, value: Value::Closed });
    }
    rows
}

fn row(field: &Field, say: Say) -> Row {
    let optional = if field.optional { say.text("guide-optional") } else { String::new() };
    let around = |text: &Option<String>| text.as_deref().unwrap_or_default().to_owned();
    let shown = field.example.as_ref().or(field.default.as_ref()).cloned().unwrap_or_default();
    let shown = format!("{}{shown}{}", around(&field.prefix), around(&field.suffix));
    let value = match field.kind {
        FieldKind::File => Value::File(say.text("picture-file")),
        _ if field.secret => Value::Dots,
        FieldKind::Choice | FieldKind::Boolean => Value::Choice(shown),
        FieldKind::Text | FieldKind::Integer | FieldKind::List | FieldKind::Multiline => Value::Text(shown),
    };
    Row {
        label: format!("{}{optional}", say.of(&field.label)),
        help: field.help.as_ref().map(|help| say.of(help).to_owned()),
        value,
    }
}

fn drawing(provider: &Provider, scheme: &AuthScheme, say: Say, style: &str) -> String {
    let mut body = String::new();
    let title = say.with("picture-title", &[("name", say.of(&provider.name))]);
    let mut y = MARGIN + 20;
    for line in lines(&title, 18, 2) {
        put_text(&mut body, MARGIN, y, 18, "picture-ink\" font-weight=\"700", &line);
        y += 24;
    }
    y += 4;
    for row in rows(provider, scheme, say) {
        y = put_row(&mut body, &row, y);
    }
    if scheme.needs_browser() {
        y = put_button(&mut body, MARGIN, y, INNER, &say.text("picture-agree"), true);
    } else {
        let half = (INNER - 12) / 2;
        put_button(&mut body, MARGIN, y, half, &say.text("picture-test"), false);
        y = put_button(&mut body, MARGIN + half + 12, y, half, &say.text("picture-create"), true);
    }
    let height = y + MARGIN;
    let label = escaped(&visible(&alternative(provider, scheme, say)));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"form-picture\" role=\"img\" aria-label=\"{label}\" \
         viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\">{style}\
         <rect class=\"picture-paper\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"10\"/>{body}</svg>",
        WIDTH - 1,
        height - 1,
    )
}

/// Draws one row; the answer is where the next begins.
fn put_row(body: &mut String, row: &Row, top: u32) -> u32 {
    if matches!(row.value, Value::Closed) {
        let line = lines(&row.label, 14, 1).join("");
        body.extend([format!(
            "<path class=\"picture-line\" stroke-width=\"1.5\" d=\"M{} {}l5 5l-5 5\"/>",
            MARGIN + 2,
            top + 9
        )]);
        put_text(body, MARGIN + 18, top + 19, 14, "picture-ink", &line);
        return top + 34;
    }
    let mut y = top;
    for line in lines(&row.label, 14, 2) {
        put_text(body, MARGIN, y + 14, 14, "picture-ink\" font-weight=\"600", &line);
        y += 20;
    }
    put_box(body, y, &row.value);
    y += BOX;
    for line in row.help.iter().flat_map(|help| lines(help, 12, HELP_LINES)) {
        put_text(body, MARGIN, y + 16, 12, "picture-soft", &line);
        y += 17;
    }
    y + 18
}

fn put_box(body: &mut String, y: u32, value: &Value) {
    body.extend([format!(
        "<rect class=\"picture-field\" x=\"{MARGIN}\" y=\"{y}\" width=\"{INNER}\" height=\"{BOX}\" rx=\"6\"/>"
    )]);
    let (text, is_choice) = match value {
        Value::Text(text) | Value::File(text) => (text.clone(), false),
        Value::Choice(text) => (text.clone(), true),
        Value::Dots => ("••••••••••••".to_owned(), false),
        Value::Closed => return,
    };
    let line = lines(&text, 14, 1).join("");
    put_text(body, MARGIN + 12, y + 23, 14, "picture-soft", &line);
    if is_choice {
        let x = WIDTH - MARGIN - 24;
        body.extend([format!(
            "<path class=\"picture-line\" stroke-width=\"1.5\" d=\"M{x} {}l5 5l5 -5\"/>",
            y + 16
        )]);
    }
}

/// Draws a button; the answer is where what stands below it begins.
fn put_button(body: &mut String, x: u32, y: u32, width: u32, label: &str, is_main: bool) -> u32 {
    let (class, ink) =
        if is_main { ("picture-main", "picture-on-main") } else { ("picture-field", "picture-ink") };
    body.extend([format!(
        "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"40\" rx=\"6\"/>",
        y + 6
    )]);
    let middle = x + width / 2;
    body.extend([format!(
        "<text class=\"{ink}\" x=\"{middle}\" y=\"{}\" font-size=\"14\" font-weight=\"600\" text-anchor=\"middle\">{}</text>",
        y + 31,
        escaped(&visible(label))
    )]);
    y + 46
}

/// Our own `class` may carry a further attribute.
fn put_text(body: &mut String, x: u32, y: u32, size: u32, class: &str, text: &str) {
    body.extend([format!(
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" font-size=\"{size}\">{}</text>",
        escaped(&visible(text))
    )]);
}

/// A text in lines of the form's width; what does not fit into so many ends in an ellipsis.
fn lines(text: &str, size: u32, most: usize) -> Vec<String> {
    let room = f64::from(INNER - 20) / f64::from(size);
    let mut lines = vec![String::new()];
    let mut used = 0.0;
    for word in words(&visible(text)) {
        let width: f64 = word.chars().map(width_of).sum();
        if used + width > room && used > 0.0 {
            if lines.len() == most {
                let last = lines.len() - 1;
                let shortened = lines[last].trim_end().to_owned() + "…";
                lines[last] = shortened;
                return lines;
            }
            lines.push(String::new());
            used = 0.0;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if used == 0.0 { word.trim_start() } else { &word });
        }
        used += width;
    }
    lines
}

/// A text in pieces between which a line may break: words with the blank before them, and each wide character.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut ends = true;
    for character in text.chars() {
        let is_wide = width_of(character) >= 1.0;
        let is_full = words.last().is_some_and(|word| word.chars().count() >= 24);
        // Closing marks stay with what they close.
        let closes = "。、」』）］・，．,.)]".contains(character);
        if (ends && !closes) || character == ' ' || (is_wide && !closes) || is_full {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
        ends = is_wide;
    }
    words
}

/// How wide a character is, in the height of the font.
fn width_of(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '.' | ',' | '\'' | '|' | ':' | ';' | '!' | ' ' => 0.3,
        'm' | 'w' | 'M' | 'W' | '@' => 0.87,
        'A'..='Z' => 0.68,
        '\u{0}'..='\u{2ff}' => 0.55,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'.. => 1.0,
        _ => 0.6,
    }
}

/// A text without characters that no drawing may hold, or that turn the direction of the rest.
fn visible(text: &str) -> String {
    let is_direction =
        |character: char| matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_no_character = |character: char| matches!(character, '\u{fffe}' | '\u{ffff}');
    let kept = text.chars().filter(|character| !is_direction(*character) && !is_no_character(*character));
    kept.map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_where_they_may_and_end_where_they_must() {
        let help = "The first part of your address. You can paste any page of yours here, and the rest fills itself.";
        assert_eq!(
            lines(help, 12, 3),
            [
                "The first part of your address. You can paste any page of",
                "yours here, and the rest fills itself."
            ]
        );
        assert_eq!(lines(help, 12, 1), ["The first part of your address. You can paste any page of…"]);
        assert_eq!(
            lines("アドレスバーのURLをコピーして、ここに貼り付けてください。続きがあります。", 14, 2),
            ["アドレスバーのURLをコピーして、ここに貼り付けてくだ", "さい。続きがあります。"]
        );
        assert_eq!(lines(&"x".repeat(500), 14, 1).len(), 1);
        assert_eq!(lines("a\u{202e}b\u{0}c", 14, 1), ["ab c"]);
    }
}
