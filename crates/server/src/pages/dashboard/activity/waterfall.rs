//! Where the time of a call went, as bars on one scale.

use tombolo_platform::store::Phases;

use crate::pages::dashboard::shown::micros;
use crate::pages::shell::Shell;

/// The scale of the drawing.
const WIDTH: u64 = 1000;
/// So much is seen of a phase that took next to no time.
const LEAST: u64 = 4;

/// One phase: the row of a table whose numbers say the same as its bar.
pub(super) struct Bar {
    pub(super) name: &'static str,
    pub(super) words: String,
    pub(super) time: String,
    pub(super) left: u64,
    pub(super) width: u64,
}

/// The phases in their order; those that did not happen are left out. What is left of the whole time is the rest: bodies,
/// and attempts before the last one.
pub(super) fn bars(shell: &Shell, phases: &Phases) -> Vec<Bar> {
    let measured = [
        ("queue", phases.queue),
        ("dns", phases.dns),
        ("tcp", phases.tcp),
        ("tls", phases.tls),
        ("first-byte", phases.first_byte),
    ];
    let sum: u64 = measured.iter().map(|(_, time)| time).sum();
    let total = phases.total.max(sum).max(1);
    let rest = total - sum;
    let mut begin = 0;
    let mut bars = Vec::new();
    for (name, time) in measured.into_iter().chain([("rest", rest)]) {
        if time > 0 {
            let left = (begin * WIDTH / total).min(WIDTH - LEAST);
            let width = (time * WIDTH / total).max(LEAST).min(WIDTH - left);
            let words = shell.say(&format!("activity-phase-{name}"));
            bars.push(Bar { name, words, time: micros(time), left, width });
        }
        begin += time;
    }
    bars
}

#[cfg(test)]
mod tests {
    use tombolo_platform::catalog::Language;

    use super::*;
    use crate::public_url::PublicUrl;

    #[test]
    fn bars_stand_one_behind_the_other_and_never_reach_out() {
        let url = PublicUrl::served("http://localhost:3003").expect("a URL");
        let shell = Shell::new(Language::En, None, &url);
        let shown = |phases: Phases| {
            let all = bars(&shell, &phases);
            for bar in &all {
                assert!(bar.left + bar.width <= WIDTH && bar.width >= LEAST, "{} {}", bar.left, bar.width);
            }
            all.iter()
                .map(|bar| format!("{} {}+{} {}", bar.name, bar.left, bar.width, bar.time))
                .collect::<Vec<_>>()
        };
        let phases = Phases { queue: 0, dns: 1000, tcp: 2000, tls: 2000, first_byte: 5000, total: 20_000 };
        assert_eq!(
            shown(phases),
            [
                "dns 0+50 1.0 ms",
                "tcp 50+100 2.0 ms",
                "tls 150+100 2.0 ms",
                "first-byte 250+250 5.0 ms",
                "rest 500+500 10 ms"
            ]
        );
        // The parts of an attempt may be more than was measured of the whole.
        assert_eq!(
            shown(Phases { first_byte: 10, total: 5, ..Phases::default() }),
            ["first-byte 0+1000 0.0 ms"]
        );
        assert_eq!(shown(Phases::default()), ["rest 0+1000 0.0 ms"]);
        let long = Phases { queue: 10_000_000, tls: 1, total: 10_000_001, ..Phases::default() };
        assert_eq!(shown(long), ["queue 0+999 10.00 s", "tls 996+4 0.0 ms"]);
    }
}
