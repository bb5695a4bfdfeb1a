//! Whether a request comes from a page of ours.

use http::HeaderMap;
use tombolo_platform::{Problem, ProblemKind};

use super::Routes;

/// A button has to be pressed on our own page, which says what is agreed to: another site's form, sent by a script, would
/// lead a person past it, or do something in their name. Every current browser says with `Sec-Fetch-Site` whose page it was,
/// and older ones with `Origin`; what says neither is no browser.
pub(crate) fn refuse_other_pages(routes: &Routes, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let own = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, None) => true,
        (None, Some(origin)) => routes.public_url.known().is_some_and(|url| {
            url.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }),
    };
    if own {
        return Ok(());
    }
    let what = "The request came from a page of another site";
    let fix = "Open the page itself, and go on from there.";
    Err(Problem::new(ProblemKind::Forbidden, "other_site", what, fix))
}
