//! Whether hosts can be reached from here, and whether their clocks agree with ours.

use jiff::fmt::rfc2822::DateTimeParser;
use tombolo_platform::start::{Reach, ReachStep, StartOptions, reach};
use tombolo_platform::{Clock as _, SystemClock};

use super::Check;
use crate::command::activity::duration;

/// Most seconds that two clocks may be apart before tokens and certificates suffer.
const APART_MAX: i64 = 60;

/// Reaches each host, one after the other.
pub async fn reach_all(options: &StartOptions, hosts: &[String]) -> Vec<Check> {
    let mut checks = Vec::new();
    for host in hosts {
        match reach(options, host).await {
            Ok(found) => {
                let now = SystemClock.now().as_milliseconds() / 1000;
                checks.extend(judge(host, &found, now));
            }
            Err(error) => checks.push(Check::failed(host, &error.into())),
        }
    }
    checks
}

/// A check for each host, and one more when its clock and ours disagree.
fn judge(host: &str, found: &Reach, now: i64) -> Vec<Check> {
    let mut checks = Vec::new();
    let failed = found.steps.iter().find_map(|step| Some((step, step.fix.clone()?)));
    checks.push(if let Some((ReachStep { step, saw, .. }, fix)) = failed {
        Check::bad(host, format!("{step}: {saw}"), fix)
    } else {
        let steps = found
            .steps
            .iter()
            .map(|step| format!("{} {} ({})", step.step, step.saw, duration(step.micros.into())));
        Check::good(host, steps.collect::<Vec<_>>().join(", "))
    });
    let theirs = found.date.as_deref().and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    let apart = theirs.map_or(0, |theirs| now - theirs.as_second());
    if apart.abs() > APART_MAX {
        let way = if apart > 0 { "ahead of" } else { "behind" };
        let saw = format!("this machine is {} seconds {way} {host}", apart.abs());
        let fix = "Set the clock, best by a time service (NTP): certificates and tokens depend on it.";
        checks.push(Check::bad("clock", saw, fix));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::Verdict;

    fn step(step: &'static str, fix: Option<&str>) -> ReachStep {
        ReachStep { step, saw: "something".to_owned(), micros: 1_000, fix: fix.map(str::to_owned) }
    }

    #[test]
    fn a_clock_that_is_far_off_is_told() {
        // RFC 9110 §5.6.7 writes dates this way: 784111777 seconds after the epoch.
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned());
        let found = Reach { steps: vec![step("name", None), step("answer", None)], date };
        for (now, saw) in
            [(784_111_800, None), (784_112_000, Some("ahead of")), (784_110_000, Some("behind"))]
        {
            let checks = judge("a.example.com", &found, now);
            assert_eq!(checks[0].verdict, Verdict::Good);
            assert_eq!(checks.get(1).is_some(), saw.is_some(), "{now}");
            assert!(saw.is_none_or(|saw| checks[1].saw.contains(saw)), "{now}");
        }
    }

    #[test]
    fn the_step_that_failed_is_named_with_its_fix() {
        let found = Reach { steps: vec![step("name", None), step("tls", Some("mend it"))], date: None };
        let [check] = &judge("a.example.com", &found, 0)[..] else { panic!("one check") };
        assert_eq!(
            (check.verdict, check.saw.as_str(), check.fix.as_deref()),
            (Verdict::Bad, "tls: something", Some("mend it"))
        );
    }
}
