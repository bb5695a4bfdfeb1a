use serde_json::{Value as Json, json};
use tombolo_store::Channel;

use super::words::{Item, Written};

/// The longest text that a chat takes, the shortest bound of those that we know (Discord's).
const TEXT_MAX: usize = 1900;

/// The body of a message for a chat; `None` for what is no chat.
pub(super) fn body(channel: Channel, written: &Written, items: &[Item]) -> Option<Json> {
    // A message about one connection says in its text what its subject says.
    let subject = if items.len() == 1 { String::new() } else { format!("{}\n\n", written.subject) };
    let fits = |text: &str| escaped(channel, &format!("{subject}{text}")).chars().count() <= TEXT_MAX;
    let text = format!("{subject}{}", written.within(fits).trim_end());
    Some(match channel {
        Channel::Mail | Channel::EndUserMail => return None,
        Channel::Slack => json!({ "text": escaped(channel, &text) }),
        Channel::Discord => {
            json!({ "content": escaped(channel, &text), "allowed_mentions": { "parse": [] } })
        }
        Channel::Teams => json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": null,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": text.split("\n\n").map(paragraph).collect::<Vec<_>>(),
                },
            }],
        }),
        Channel::Json => json!({
            "subject": written.subject,
            "text": written.text,
            "connections": items.iter().map(facts).collect::<Vec<_>>(),
        }),
    })
}

/// The text as the chat has to be given it.
fn escaped(channel: Channel, text: &str) -> String {
    match channel {
        // `<` begins what calls everybody, or a link with a text of its own.
        Channel::Slack => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        Channel::Discord | Channel::Teams => plain(text),
        Channel::Mail | Channel::EndUserMail | Channel::Json => text.to_owned(),
    }
}

fn paragraph(text: &str) -> Json {
    json!({ "type": "TextBlock", "text": plain(text), "wrap": true })
}

/// Where brackets begin a link with a text of its own, and could deceive. A backslash before one would take ours away.
fn plain(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

fn facts(item: &Item) -> Json {
    json!({
        "id": item.id, "name": item.name, "provider": item.provider_id, "kind": item.kind.as_str(),
        "days_left": item.days_left, "link": item.link,
    })
}

#[cfg(test)]
mod tests {
    use tombolo_catalog::{Language, Text};
    use tombolo_store::NoticeKind;

    use super::super::words::written;
    use super::*;

    const LINK: &str =
        "http://localhost:3003/reconnect/0123456789012345678901234567890123456789012?language=en";

    fn items(number: usize, reason: usize) -> Vec<Item> {
        let item = |number| Item {
            id: format!("con_{number}"),
            name: format!("[{number}] <&>"),
            provider_id: "acme".to_owned(),
            provider: Text { en: "Acme".to_owned(), ja: "アクメ".to_owned() },
            kind: NoticeKind::NeedsReconnecting,
            days_left: None,
            reason: Some("[why] ".repeat(reason)),
            link: Some(LINK.to_owned()),
            to_confirm: None,
        };
        (0..number).map(item).collect()
    }

    /// Nothing is told by halves: what a message does not say of a connection, it says that it leaves out.
    #[test]
    fn a_long_message_leaves_out_whole_connections_and_says_how_many() {
        for (number, reason) in [(1, 10), (1, 1000), (3, 10), (12, 10), (20, 40), (30, 10), (30, 1000)] {
            let items = items(number, reason);
            for (channel, part) in [(Channel::Slack, "text"), (Channel::Discord, "content")] {
                let body = body(channel, &written("default", &items, Language::En), &items).expect("a chat");
                let text = body[part].as_str().expect("a text");
                let (length, shown) = (text.chars().count(), text.matches(LINK).count());
                assert!(length <= TEXT_MAX && text.ends_with("environment default"), "{length}: {text}");
                assert_eq!(text.matches("/reconnect/").count(), shown, "no link is cut: {text}");
                assert!(shown > 0, "{text}");
                let rest = format!("And {} more: see", number - shown);
                assert_eq!(text.contains(&rest), number > shown, "{number}, {shown}: {text}");
            }
        }
    }

    #[test]
    fn no_bracket_is_left_to_begin_a_link() {
        for (text, expected) in
            [("plain", "plain"), ("[x](y)", r"\[x\](y)"), (r"\[x\](y)", r"\\\[x\\\](y)"), (r"a\", r"a\\")]
        {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
