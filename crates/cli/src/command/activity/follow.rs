//! `tombolo activity --follow`

use std::collections::HashSet;
use std::time::Duration;

use tombolo_api::{Activity, ActivityQuery, ProxiedCall};

use super::told;
use crate::command::serve::stop_signal;
use crate::connect_api::Api;
use crate::exit::Exit;
use crate::output::{Output, json_line, line, say};

/// How often new calls are looked for.
const EVERY: Duration = Duration::from_millis(500);
/// Most new calls that are shown at a time, to the end of a page: nobody reads more in half a second.
const CALLS_MAX: usize = 1_000;

/// Shows calls as they are made, until the process is asked to stop: first the newest page, then whatever is new.
pub(super) async fn follow(api: &Api, wanted: &ActivityQuery, output: Output) -> anyhow::Result<Exit> {
    let stop = stop_signal();
    tokio::pin!(stop);
    let first = api.list_activity(wanted).await?;
    show(&first.calls, output)?;
    let mut shown: HashSet<String> = first.calls.into_iter().map(|call| call.request_id).collect();
    loop {
        tokio::select! {
            stopped = &mut stop => {
                stopped?;
                return Ok(Exit::Done);
            }
            () = tokio::time::sleep(EVERY) => {}
        }
        let page = async |cursor| -> anyhow::Result<Activity> {
            Ok(api.list_activity(&ActivityQuery { cursor, ..wanted.clone() }).await?)
        };
        let news = News::read(page, &shown).await?;
        if let Some(Hidden { at_least, cursor }) = &news.hidden {
            say(format_args!("… {at_least} or more calls not shown; see them with --cursor {cursor}"));
        }
        show(&news.calls, output)?;
        // A page without any call says nothing about those that were shown.
        if !news.seen.is_empty() {
            shown = news.seen;
        }
    }
}

/// Shows calls, the oldest first.
fn show(newest_first: &[ProxiedCall], output: Output) -> anyhow::Result<()> {
    newest_first
        .iter()
        .rev()
        .try_for_each(|call| if output.json { json_line(call) } else { line(told(call, output)) })
}

/// What was logged since the last look.
#[derive(Default)]
struct News {
    /// The calls that were not shown yet, newest first.
    calls: Vec<ProxiedCall>,
    /// Every call on the pages that were read: what the next look can meet again.
    seen: HashSet<String>,
    /// The calls before those, which are too many to show.
    hidden: Option<Hidden>,
}

#[derive(Debug, PartialEq, Eq)]
struct Hidden {
    at_least: usize,
    cursor: String,
}

impl News {
    /// Reads pages until one has a call that was shown. A page without any call ends it too: so much was logged that does
    /// not fit the question that to read on, twice a second, would be to read the whole log.
    async fn read(
        page: impl AsyncFn(Option<String>) -> anyhow::Result<Activity>,
        shown: &HashSet<String>,
    ) -> anyhow::Result<Self> {
        let mut news = Self::default();
        let mut cursor = None;
        loop {
            let Activity { mut calls, next_cursor } = page(cursor.clone()).await?;
            news.seen.extend(calls.iter().map(|call| call.request_id.clone()));
            let on_page = calls.len();
            calls.retain(|call| !shown.contains(&call.request_id));
            let is_last = calls.is_empty() || calls.len() < on_page || next_cursor.is_none();
            if news.calls.len() >= CALLS_MAX {
                let at_least = calls.len();
                news.hidden = cursor.filter(|_| at_least > 0).map(|cursor| Hidden { at_least, cursor });
                return Ok(news);
            }
            news.calls.append(&mut calls);
            if is_last {
                return Ok(news);
            }
            cursor = next_cursor;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn call(number: usize) -> ProxiedCall {
        ProxiedCall {
            request_id: number.to_string(),
            at: Timestamp::UNIX_EPOCH,
            connection: String::new(),
            integration: String::new(),
            api_key: String::new(),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            status: Some(200),
            error: None,
            attempts: 1,
            bytes_up: 0,
            bytes_down: 0,
            queue_micros: 0,
            dns_micros: 0,
            tcp_micros: 0,
            tls_micros: 0,
            first_byte_micros: 0,
            total_micros: 0,
            pooled: false,
        }
    }

    /// What is new in a log of this many calls, by pages of 100, when the first `shown` of them were shown.
    async fn news(logged: usize, shown: usize) -> News {
        let page = async |cursor: Option<String>| {
            let newest = cursor.map_or(logged, |cursor| cursor.parse().expect("a cursor of ours"));
            let oldest = newest.saturating_sub(100);
            let calls = (oldest..newest).rev().map(call).collect();
            Ok(Activity { calls, next_cursor: (oldest > 0).then(|| oldest.to_string()) })
        };
        let shown = (shown.saturating_sub(100)..shown).map(|number| number.to_string()).collect();
        News::read(page, &shown).await.expect("pages")
    }

    #[tokio::test]
    async fn pages_are_read_until_one_was_shown() {
        for (logged, shown) in [(0, 0), (30, 0), (250, 0), (150, 150), (151, 150), (480, 150), (350, 150)] {
            let news = news(logged, shown).await;
            let expected: Vec<ProxiedCall> = (shown..logged).rev().map(call).collect();
            assert_eq!((news.calls, news.hidden), (expected, None), "{shown} of {logged}");
            let newest: Vec<usize> = (logged.saturating_sub(100)..logged).collect();
            assert!(
                newest.iter().all(|number| news.seen.contains(&number.to_string())),
                "{shown} of {logged}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_too_much_is_said() {
        assert_eq!(news(1_100, 100).await.hidden, None);
        let news = news(5_000, 100).await;
        assert_eq!(news.calls.len(), CALLS_MAX);
        assert_eq!(news.hidden, Some(Hidden { at_least: 100, cursor: "4000".to_owned() }));
    }

    #[tokio::test]
    async fn a_page_without_calls_is_the_last_that_is_read() {
        let page = async |cursor: Option<String>| {
            assert_eq!(cursor, None);
            Ok(Activity { calls: Vec::new(), next_cursor: Some("further".to_owned()) })
        };
        let news = News::read(page, &HashSet::new()).await.expect("a page");
        assert!(news.calls.is_empty() && news.hidden.is_none());
    }
}
