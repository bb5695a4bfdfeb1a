//! Reads the one file of a `multipart/form-data` upload (RFC 7578).

use bytes::Bytes;

/// The part of an upload that carries a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UploadedPart {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) content: Bytes,
}

/// The first part named `file` of a body, or `None` when the body is not well formed or has none.
pub(crate) fn first_file(content_type: &str, body: &Bytes) -> Option<UploadedPart> {
    let (head, content) = first_part(content_type, body, "file")?;
    let disposition = header(&head, "content-disposition")?;
    Some(UploadedPart {
        name: encoded_name(disposition).or_else(|| parameter(disposition, "filename"))?,
        content_type: header(&head, "content-type").unwrap_or("application/octet-stream").to_owned(),
        content,
    })
}

/// The text of the first part of this name.
pub(crate) fn form_field(content_type: &str, body: &Bytes, name: &str) -> Option<String> {
    let (_, content) = first_part(content_type, body, name)?;
    String::from_utf8(content.to_vec()).ok()
}

/// Head and content of the first part of this name.
fn first_part(content_type: &str, body: &Bytes, name: &str) -> Option<(String, Bytes)> {
    let boundary = parameter(content_type, "boundary")?;
    let delimiter = format!("--{boundary}").into_bytes();
    let mut position = find(body, &delimiter, 0)?;
    loop {
        let head_start = position + delimiter.len() + 2;
        if body.get(position + delimiter.len()..head_start)? != b"\r\n" {
            return None;
        }
        let head_end = find(body, b"\r\n\r\n", head_start)?;
        let closing = [b"\r\n", delimiter.as_slice()].concat();
        let content_end = find(body, &closing, head_end + 2)?;
        let head = String::from_utf8_lossy(&body[head_start..head_end]).into_owned();
        let disposition = header(&head, "content-disposition")?;
        if parameter(disposition, "name").as_deref() == Some(name) {
            return Some((head, body.slice((head_end + 4).min(content_end)..content_end)));
        }
        position = content_end + 2;
    }
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let first = *wanted.first()?;
    let mut start = from;
    loop {
        let offset = bytes.get(start..)?.iter().position(|byte| *byte == first)?;
        start += offset;
        if bytes.get(start..start + wanted.len())? == wanted {
            return Some(start);
        }
        start += 1;
    }
}

fn header<'head>(head: &'head str, name: &str) -> Option<&'head str> {
    head.split("\r\n").find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// A parameter of a header, quoted or bare; `\"` and `%22` stand for a quotation mark.
fn parameter(header: &str, name: &str) -> Option<String> {
    let mut rest = header;
    loop {
        let (_, after) = rest.split_once(';')?;
        let after = after.trim_start();
        let (key, value) = after.split_once('=')?;
        let (value, remaining) = match value.strip_prefix('"') {
            Some(quoted) => {
                let end = quoted
                    .char_indices()
                    .find(|(index, character)| *character == '"' && !quoted[..*index].ends_with('\\'))?
                    .0;
                (&quoted[..end], &quoted[end + 1..])
            }
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value.trim().replace("\\\"", "\"").replace("%22", "\""));
        }
        rest = remaining;
    }
}

/// A file name as RFC 5987 writes it: `filename*=UTF-8''%E8%A1%A8.txt`.
fn encoded_name(disposition: &str) -> Option<String> {
    let value = parameter(disposition, "filename*")?;
    let encoded = value.splitn(3, '\'').nth(2)?;
    Some(percent_encoding::percent_decode_str(encoded).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(disposition: &str) -> Bytes {
        Bytes::from(format!(
            "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--x\r\n{disposition}\r\nContent-Type: text/plain\r\n\r\na\r\n--b\r\n--x--\r\n"
        ))
    }

    #[test]
    fn the_part_named_file_is_found() {
        let upload = body("Content-Disposition: form-data; name=\"file\"; filename=\"a;b.txt\"");
        let part = first_file("multipart/form-data; boundary=x", &upload).unwrap();
        assert_eq!((part.name.as_str(), part.content_type.as_str()), ("a;b.txt", "text/plain"));
        assert_eq!(part.content, "a\r\n--b");
    }

    #[test]
    fn an_encoded_name_is_preferred() {
        let upload = body(
            "Content-Disposition: form-data; name=file; filename=\"_.txt\"; filename*=UTF-8''%E8%A1%A8.txt",
        );
        assert_eq!(first_file("multipart/form-data; boundary=\"x\"", &upload).unwrap().name, "表.txt");
    }

    #[test]
    fn broken_bodies_have_no_file() {
        for (content_type, content) in [
            ("multipart/form-data", "--x\r\n"),
            ("multipart/form-data; boundary=x", ""),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"file\""),
            ("multipart/form-data; boundary=x", "--x--\r\n"),
        ] {
            assert_eq!(first_file(content_type, &Bytes::from(content)), None, "{content_type} {content:?}");
        }
    }
}
