//! The frame of every page, and its language.

use http::StatusCode;
use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL};

use crate::http::{Answer, Request};
use crate::model::Locale;

/// A text in English and in Japanese.
pub(crate) type Words = (&'static str, &'static str);

/// The language that the browser prefers: Japanese when it names it first, otherwise English.
pub(crate) fn locale_of(request: &Request) -> Locale {
    let preferred = request.header(ACCEPT_LANGUAGE.as_str()).unwrap_or_default();
    if preferred.trim_start().starts_with("ja") { Locale::Ja } else { Locale::En }
}

/// A page whose content is HTML already.
pub(crate) fn page(status: StatusCode, locale: Locale, title: Words, content: &str) -> Answer {
    let language = match locale {
        Locale::En => "en",
        Locale::Ja => "ja",
    };
    let title = locale.choose(title);
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}}\
         label{{display:block;margin:.5rem 0}}input{{display:block;width:100%;font:inherit;box-sizing:border-box}}\
         button{{font:inherit;margin:.5rem .5rem 0 0}}</style></head>\n<body><h1>{title}</h1>\n{content}\n</body></html>\n"
    );
    Answer::new(status, "text/html;charset=utf-8", page).with_header(CACHE_CONTROL, "no-store")
}

/// A text as it stands in HTML, in attributes too.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

impl Locale {
    /// The text of this language.
    pub(crate) fn choose(self, (english, japanese): Words) -> &'static str {
        match self {
            Self::En => english,
            Self::Ja => japanese,
        }
    }
}
