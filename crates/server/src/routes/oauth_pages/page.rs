//! The pages at both ends of the way. Only the last has a script, which tells its opener.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_FRAME_OPTIONS};
use secrecy::ExposeSecret as _;
use tombolo_platform::catalog::Provider;
use tombolo_platform::oauth::{CallbackOutcome, Handover, LinkAbout, Onward};
use tombolo_platform::{Problem, ProblemKind};

use super::{private, words};
use crate::pages::Shell;

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The policy of the page with the button. It does not say where forms may go: browsers apply that to redirects as well,
/// and this one goes on to the vendor.
const POLICY_OF_QUESTION: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of the last page, which tells its opener how it ended.
const POLICY_OF_END: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Asks a person whether to go on to the vendor. The button posts to the page's own address.
pub(super) fn question(about: &LinkAbout, shell: &Shell) -> Response {
    let (title, paragraphs, button) = words::question(about, shell.language);
    let button =
        format!("<form method=\"post\"><button class=\"primary\">{}</button></form>\n", escaped(button));
    let mut response = answer(StatusCode::OK, html(shell, &title, &paragraphs, &button));
    let policy = HeaderValue::from_static(POLICY_OF_QUESTION);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Says how a connection is mended whose credentials nobody can give with a browser.
pub(super) fn by_hand(name: &str, provider: &Provider, command: &str, shell: &Shell) -> Response {
    let (title, paragraphs) = words::by_hand(name, provider, shell.language);
    let command = format!("<pre>{}</pre>\n", escaped(command));
    answer(StatusCode::OK, html(shell, &title, &paragraphs, &command))
}

/// The person has agreed, and the browser passes on what proves that it has finished: to whoever opened the window, to a
/// program that waits on this machine, or by the person, who tells a code.
pub(super) fn handover(outcome: &CallbackOutcome, handover: &Handover, shell: &Shell) -> Response {
    let Handover { authorization, proof, origins, onward, code } = handover;
    let words = words::agreed(outcome, shell.language);
    let said = match (onward, code) {
        (Some(Onward::Program(url)), _) => {
            let (url, go_on) = (escaped(url.expose_secret()), escaped(words.go_on));
            let link = format!("<p><a href=\"{url}\" rel=\"noreferrer\">{go_on}</a></p>\n");
            [paragraph("", words.program), link, paragraph("", words.elsewhere)].concat()
        }
        (_, Some(_)) => paragraph("", words.tell),
        // The script shows one of them.
        _ => paragraph(" data-found hidden", words.closes) + &paragraph(" data-lost hidden", words.lost),
    };
    let code = code
        .as_ref()
        .map(|code| format!("<p><strong class=\"told\">{}</strong></p>\n", in_halves(code.expose_secret())));
    let told = if origins.is_empty() {
        String::new()
    } else {
        let (origins, proof) = (escaped(&origins.join(" ")), escaped(proof.expose_secret()));
        format!(" data-origins=\"{origins}\" data-proof=\"{proof}\"")
    };
    let end = format!(
        "{said}{}<div data-end=\"success\" data-authorization=\"{}\"{told}></div>\n{}",
        code.unwrap_or_default(),
        escaped(authorization.as_str()),
        script(shell),
    );
    at_the_end(answer(StatusCode::OK, html(shell, &words.title, &words.paragraphs, &end)))
}

fn paragraph(attributes: &str, text: &str) -> String {
    format!("<p{attributes}>{}</p>\n", escaped(text))
}

/// A code as people read it aloud.
fn in_halves(code: &str) -> String {
    let (first, second) = code.split_at_checked(code.len() / 2).unwrap_or((code, ""));
    format!("{}-{}", escaped(first), escaped(second))
}

/// The account is connected.
pub(super) fn success(outcome: &CallbackOutcome, shell: &Shell) -> Response {
    let (title, paragraphs) = words::connected(outcome, shell.language);
    let end = format!("<div data-end=\"success\"></div>\n{}", script(shell));
    at_the_end(answer(StatusCode::OK, html(shell, &title, &paragraphs, &end)))
}

/// Loads the script of the last page.
fn script(shell: &Shell) -> String {
    format!("<script type=\"module\" src=\"{}\"></script>\n", escaped(&shell.to("/oauth/callback.js")))
}

/// Like [`failure`], and tells whoever opened the window.
pub(super) fn failure_at_the_end(problem: &Problem, shell: &Shell, request_id: &str) -> Response {
    let end = format!(
        "<div data-end=\"error\" data-error-type=\"{}\" data-message=\"{}\"></div>\n{}",
        escaped(problem.popup_error_type()),
        escaped(&problem.to_string()),
        script(shell),
    );
    at_the_end(failed(problem, shell, request_id, &end))
}

/// The page's script may run, and no other.
fn at_the_end(mut response: Response) -> Response {
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY_OF_END));
    response
}

/// Something went wrong; the status is that of the problem.
pub(super) fn failure(problem: &Problem, shell: &Shell, request_id: &str) -> Response {
    failed(problem, shell, request_id, "")
}

fn failed(problem: &Problem, shell: &Shell, request_id: &str, end: &str) -> Response {
    if matches!(problem.kind, ProblemKind::Internal) {
        tracing::error!(request_id, code = problem.code, problem = %problem.what, "a request failed on our side");
    }
    let status = StatusCode::from_u16(problem.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (title, paragraphs) = words::not_connected(problem, shell.language);
    let code = format!("<p><code>{} ({})</code></p>\n", escaped(problem.code), escaped(request_id));
    answer(status, html(shell, title, &paragraphs, &(code + end)))
}

fn answer(status: StatusCode, html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.extend(private());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// `end` is HTML of our own.
fn html(shell: &Shell, title: &str, paragraphs: &[String], end: &str) -> String {
    let title = escaped(title);
    let paragraphs =
        paragraphs.iter().fold(String::new(), |html, text| html + "<p>" + &escaped(text) + "</p>\n");
    let sheets = ["tokens.css", "base.css", "people.css"]
        .map(|name| format!("<link rel=\"stylesheet\" href=\"{}\">\n", escaped(&shell.asset(name))));
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"{}\" type=\"image/svg+xml\">\n{}</head>\n<body>\n<div class=\"people\">\n\
         <main class=\"card stack\">\n<h1>{title}</h1>\n{paragraphs}{end}</main>\n</div>\n</body>\n</html>\n",
        shell.language(),
        escaped(&shell.asset("icon.svg")),
        sheets.concat(),
    )
}

/// A text as HTML shows it, also within a quoted attribute.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use tombolo_platform::catalog::Language;

    use super::*;
    use crate::public_url::PublicUrl;

    #[test]
    fn texts_of_others_stay_texts() {
        let shell = Shell::new(Language::En, None, &PublicUrl::served("https://example.com").expect("a URL"));
        let page = html(&shell, "<b>&\"", &["<script>alert('x')</script>".to_owned()], "");
        assert!(page.contains("<title>&lt;b&gt;&amp;&quot;</title>"), "{page}");
        assert!(page.contains("<p>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</p>"), "{page}");
    }
}
