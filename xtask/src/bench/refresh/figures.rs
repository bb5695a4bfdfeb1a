//! Figures that have to hold.

use anyhow::{Result, bail};

/// The figures of a run, printed as they come.
#[derive(Default)]
pub(super) struct Figures {
    broken: Vec<String>,
}

impl Figures {
    /// Prints a figure, what it has to be, and whether it is.
    pub(super) fn check(&mut self, name: &str, value: &str, wanted: &str, holds: bool) {
        let verdict = if holds { "holds" } else { "DOES NOT HOLD" };
        println!("  {name:<44} {value:<12} {wanted:<12} {verdict}");
        if !holds {
            self.broken.push(format!("{name}: {value}, not {wanted}"));
        }
    }

    /// A count that has to be zero, with the first of what was counted.
    pub(super) fn none(&mut self, name: &str, found: &[String]) {
        self.check(name, &found.len().to_string(), "0", found.is_empty());
        for example in found.iter().take(3) {
            println!("    {example}");
        }
    }

    /// An error when a figure does not hold.
    pub(super) fn verdict(self) -> Result<()> {
        if self.broken.is_empty() {
            println!("\nevery figure holds");
            return Ok(());
        }
        bail!("figures that do not hold:\n{}", self.broken.join("\n"))
    }
}

/// Prints a figure that is only to be looked at.
pub(super) fn show(name: &str, value: &str) {
    println!("  {name:<44} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_does_not_hold_is_an_error() {
        let mut figures = Figures::default();
        figures.none("callers refused", &[]);
        figures.check("recovery", "4.1 s", "<= 5 s", true);
        figures.none("connections lost", &["connection 7".to_owned()]);
        let error = figures.verdict().unwrap_err().to_string();
        assert_eq!(error, "figures that do not hold:\nconnections lost: 1, not 0");
    }
}
