//! How the pages of an environment look on which somebody links an account: with the embedder's name, logo and colours.

use serde::{Deserialize, Serialize};
use tombolo_catalog::FieldError;
use url::Url;

use crate::problem::field;

/// Longest name of an application, in characters.
const NAME_MAX: usize = 100;
/// Longest address of a picture, in bytes.
const URL_MAX: usize = 2_000;

/// How the pages look. An empty text stands for what is so by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectUi {
    /// What people call the application that they link their accounts to.
    pub display_name: String,
    /// The address of its logo.
    pub logo_url: String,
    /// The colour of what can be pressed, in daylight: `#rrggbb`.
    pub primary_light: String,
    /// The same in the dark.
    pub primary_dark: String,
    /// Which of them, unless the page around or the browser says: `light` or `dark`.
    pub default_theme: String,
    /// Whether the pages say what they are made with.
    pub show_watermark: bool,
}

/// What changes about it; `None` keeps what is there.
#[derive(Debug, Clone, Default)]
pub struct ConnectUiChange {
    /// The application's name.
    pub display_name: Option<String>,
    /// The address of its logo.
    pub logo_url: Option<String>,
    /// The colour in daylight.
    pub primary_light: Option<String>,
    /// The colour in the dark.
    pub primary_dark: Option<String>,
    /// Light, dark, or `system`.
    pub default_theme: Option<String>,
    /// Whether the pages say what they are made with.
    pub show_watermark: Option<bool>,
}

impl ConnectUi {
    /// Takes a change over, and says what is wrong with it.
    pub(crate) fn change(&mut self, change: ConnectUiChange) -> Vec<FieldError> {
        let ConnectUiChange {
            display_name,
            logo_url,
            primary_light,
            primary_dark,
            default_theme,
            show_watermark,
        } = change;
        let mut faults = Vec::new();
        let mut take = |place: &mut String, name: &str, given: Option<String>, rule: Rule| {
            let Some(given) = given else { return };
            let given = given.trim();
            if !given.is_empty() && !rule.is_kept(given) {
                let (en, ja) = rule.words();
                faults.push(field(&format!("connect_ui.{name}"), "format", en, ja));
            }
            given.clone_into(place);
        };
        take(&mut self.display_name, "display_name", display_name, Rule::Name);
        take(&mut self.logo_url, "logo_url", logo_url, Rule::Picture);
        take(&mut self.primary_light, "primary_light", primary_light, Rule::Colour);
        take(&mut self.primary_dark, "primary_dark", primary_dark, Rule::Colour);
        let default_theme = default_theme.map(|theme| if theme == "system" { String::new() } else { theme });
        take(&mut self.default_theme, "default_theme", default_theme, Rule::Theme);
        self.show_watermark = show_watermark.unwrap_or(self.show_watermark);
        faults
    }
}

/// What a value has to be.
#[derive(Clone, Copy)]
enum Rule {
    Name,
    Picture,
    Colour,
    Theme,
}

impl Rule {
    fn is_kept(self, text: &str) -> bool {
        match self {
            Self::Name => text.chars().count() <= NAME_MAX && !text.chars().any(char::is_control),
            Self::Picture => is_picture(text),
            Self::Colour => {
                text.len() == 7
                    && text.starts_with('#')
                    && text[1..].bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            Self::Theme => matches!(text, "light" | "dark"),
        }
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Name => (
                "It has at most 100 characters and no line breaks.",
                "改行を含まない100文字以内で入力してください。",
            ),
            Self::Picture => (
                "It is the https address of a picture as browsers write it, without user, query and fragment.",
                "画像のhttpsのURLを正規の表記で入力してください。ユーザー名、クエリ、フラグメントは使えません。",
            ),
            Self::Colour => ("It is a colour such as #0f766e.", "#0f766e の形式で色を入力してください。"),
            Self::Theme => {
                ("It is `light`, `dark` or `system`.", "light、dark、systemのいずれかを指定してください。")
            }
        }
    }
}

/// Whether a text can stand, letter for letter, among the sources of pictures of a content security policy: a comma or a
/// semicolon would end it there, and a query counts for nothing.
fn is_picture(text: &str) -> bool {
    let plain = text.len() <= URL_MAX
        && text.bytes().all(|byte| {
            byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'\'' | b'"' | b'*' | b'\\')
        });
    Url::parse(text).is_ok_and(|url| {
        let nothing_else = url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        plain
            && url.as_str() == text
            && url.scheme() == "https"
            && url.host().is_some()
            && nothing_else
            && nobody
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_colours_can_stand_where_they_go() {
        for (text, expected) in [
            ("https://app.example.com/logo.svg", true),
            ("http://app.example.com/logo.svg", false),
            ("https://app.example.com/logo.svg; script-src *", false),
            ("https://app.example.com/logo.svg,https://evil.example", false),
            ("https://app.example.com/logo.svg?v=1", false),
            ("https://app.example.com/a/../logo.svg", false),
            ("https://me@app.example.com/logo.svg", false),
            ("https://*.example.com/logo.svg", false),
            ("data:image/png;base64,AAAA", false),
        ] {
            assert_eq!(is_picture(text), expected, "{text}");
        }
        for (text, expected) in
            [("#0F766e", true), ("#fff", false), ("red", false), ("#12345g", false), ("#あああ", false)]
        {
            assert_eq!(Rule::Colour.is_kept(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_left_out_stays_and_an_empty_text_takes_back() {
        let mut look = ConnectUi {
            display_name: "Acme".into(),
            primary_light: "#112233".into(),
            ..ConnectUi::default()
        };
        let change = ConnectUiChange {
            primary_light: Some(String::new()),
            default_theme: Some("system".into()),
            ..ConnectUiChange::default()
        };
        assert!(look.change(change).is_empty());
        assert_eq!((look.display_name.as_str(), look.primary_light.as_str()), ("Acme", ""));
        let wrong = ConnectUiChange { default_theme: Some("blue".into()), ..ConnectUiChange::default() };
        assert_eq!(look.change(wrong)[0].field, "connect_ui.default_theme");
    }
}
