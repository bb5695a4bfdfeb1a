use serde_json::{Value as Json, json};
use tombolo_store::Channel;

use super::words::{Item, Written};

/// The longest text that a chat takes, the shortest bound of those that we know (Discord's).
const TEXT_MAX: usize = 1900;

/// The body of a message for a chat; `None` for what is no chat.
pub(super) fn body(channel: Channel, written: &Written, items: &[Item]) -> Option<Json> {
    // A message about one connection says in its text what its subject says.
    let subject = if items.len() == 1 { String::new() } else { format!("{}\n\n", written.subject) };
    let text = shortened(&format!("{subject}{}", written.text));
    Some(match channel {
        Channel::Mail | Channel::EndUserMail => return None,
        // `<` begins what calls everybody, or a link with a text of its own.
        Channel::Slack => {
            json!({ "text": text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") })
        }
        Channel::Discord => json!({ "content": plain(&text), "allowed_mentions": { "parse": [] } }),
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

fn shortened(text: &str) -> String {
    if text.chars().count() <= TEXT_MAX {
        return text.trim_end().to_owned();
    }
    text.chars().take(TEXT_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bracket_is_left_to_begin_a_link() {
        for (text, expected) in
            [("plain", "plain"), ("[x](y)", r"\[x\](y)"), (r"\[x\](y)", r"\\\[x\\\](y)"), (r"a\", r"a\\")]
        {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
