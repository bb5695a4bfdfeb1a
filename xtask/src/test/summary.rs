//! Adds up the result lines of cargo's test programs.

use std::fmt;

/// What the test programs have reported so far.
#[derive(Default)]
pub(super) struct Summary {
    /// Test programs that came to their end, documentation tests of a crate counting as one.
    pub(super) binaries: u64,
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Summary {
    /// Reads one line: `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; …` counts, others
    /// do not.
    pub(super) fn read(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        self.binaries += 1;
        for part in counts.split("; ") {
            let mut words = part.split(' ');
            let Some(count) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
            match words.next() {
                Some("passed") => self.passed += count,
                Some("failed") => self.failed += count,
                Some("ignored") => self.ignored += count,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { binaries, passed, failed, ignored } = self;
        write!(
            formatter,
            "total: {passed} passed; {failed} failed; {ignored} ignored; {binaries} test programs"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_added_up() {
        let mut summary = Summary::default();
        for line in [
            "running 12 tests",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test this_result: ok. 5 passed ... ok",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1.20s",
        ] {
            summary.read(line);
        }
        assert_eq!(summary.to_string(), "total: 15 passed; 2 failed; 1 ignored; 2 test programs");
    }
}
