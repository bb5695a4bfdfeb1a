//! How far a migration is: one line on a terminal, written over; nothing elsewhere.

use std::cell::Cell;
use std::io::IsTerminal as _;
use std::time::Duration;

use tombolo_platform::catalog::Language;

use crate::language::either;
use crate::output::one_line;

const WIDTH: usize = 24;

pub(super) struct Progress {
    shows: bool,
    language: Language,
    done: Cell<usize>,
    all: Cell<usize>,
}

impl Progress {
    pub(super) fn new(language: Language) -> Self {
        let shows = std::io::stderr().is_terminal();
        Self { shows, language, done: Cell::new(0), all: Cell::new(0) }
    }

    /// There is so much to do.
    pub(super) fn expect(&self, all: usize) {
        self.all.set(all);
    }

    /// One more is looked at.
    pub(super) fn next(&self, what: &str) {
        self.done.set(self.done.get() + 1);
        self.show(what);
    }

    /// The other product asked for a pause.
    pub(super) fn waits(&self, pause: Duration) {
        let words =
            either(self.language, "the other server asks to wait, seconds:", "移行元の待機要求 (秒):");
        self.show(&format!("{words} {}", pause.as_secs().max(1)));
    }

    /// Leaves an empty line for what is said next.
    pub(super) fn end(&self) {
        if self.shows {
            eprint!("\r\u{1b}[2K");
        }
    }

    fn show(&self, what: &str) {
        if !self.shows {
            return;
        }
        let (done, all) = (self.done.get(), self.all.get().max(1));
        let filled = (WIDTH * done.min(all)) / all;
        let bar: String = (0..WIDTH).map(|place| if place < filled { '█' } else { '░' }).collect();
        let what: String = one_line(what.to_owned()).chars().take(40).collect();
        eprint!("\r\u{1b}[2K{bar} {done}/{all} {what}");
    }
}
