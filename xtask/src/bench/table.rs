//! The tables that the benchmark prints.

use std::fmt::Write as _;

use super::statistics::{Figure, Sample, highest, median};
use super::subject::Subject;

/// A column.
struct Column {
    heading: &'static str,
    figure: Figure,
    /// How the figures of the rounds become one.
    of_rounds: fn(&[Sample], Figure) -> f64,
    digits: usize,
    /// Whether the ratio to nginx's figure says something.
    with_ratio: bool,
}

/// A column with the median of its figure and the ratio to nginx's.
const fn compared(heading: &'static str, figure: Figure, digits: usize) -> Column {
    Column { heading, figure, of_rounds: median, digits, with_ratio: true }
}

/// A column without a ratio.
const fn plain(heading: &'static str, of_rounds: fn(&[Sample], Figure) -> f64, figure: Figure) -> Column {
    Column { heading, figure, of_rounds, digits: 1, with_ratio: false }
}

const SMALL: &[Column] = &[
    compared("req/s", |sample| sample.requests_per_second, 0),
    plain("core %", median, |sample| sample.core_percent),
    compared("CPU µs/req", |sample| sample.cpu_microseconds_per_request, 2),
    compared("p50 ms", |sample| sample.median_milliseconds, 2),
    compared("p99 ms", |sample| sample.percentile_99_milliseconds, 2),
    plain("RSS MiB", highest, |sample| sample.resident_mebibytes),
];

const LARGE: &[Column] = &[
    compared("MB/s", |sample| sample.bytes_per_second / 1e6, 0),
    plain("core %", median, |sample| sample.core_percent),
    compared("CPU µs/MiB", |sample| sample.cpu_microseconds_per_mebibyte, 0),
    plain("RSS MiB", highest, |sample| sample.resident_mebibytes),
    plain("growth MiB", highest, |sample| sample.growth_mebibytes),
];

/// The table for small answers.
pub(super) fn small(names: &[&str], samples: &[Vec<Sample>]) -> String {
    table(SMALL, names, samples)
}

/// The table for the large body.
pub(super) fn large(names: &[&str], samples: &[Vec<Sample>]) -> String {
    table(LARGE, names, samples)
}

/// One row for each subject: medians, and in parentheses their ratios to nginx's.
fn table(columns: &[Column], names: &[&str], samples: &[Vec<Sample>]) -> String {
    let mut text = format!("{:<20}", "subject");
    for column in columns {
        let _ = write!(text, " {:>17}", column.heading);
    }
    text.push('\n');
    let reference = names.iter().position(|name| *name == Subject::Nginx.name()).map(|index| &samples[index]);
    for (name, samples) in names.iter().zip(samples) {
        let _ = write!(text, "{name:<20}");
        for column in columns {
            let value = (column.of_rounds)(samples, column.figure);
            let ratio = reference
                .filter(|_| column.with_ratio)
                .map(|reference| value / median(reference, column.figure));
            let ratio = ratio.map(|ratio| format!(" ({ratio:.2}x)")).unwrap_or_default();
            let _ = write!(text, " {:>17}", format!("{value:.*}{ratio}", column.digits));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(requests_per_second: f64) -> Sample {
        Sample {
            requests_per_second,
            core_percent: 99.0,
            bytes_per_second: requests_per_second * 1e6,
            cpu_microseconds_per_request: 10.0,
            cpu_microseconds_per_mebibyte: 5.0,
            median_milliseconds: 1.0,
            percentile_99_milliseconds: 2.0,
            resident_mebibytes: 6.25,
            growth_mebibytes: 1.0,
        }
    }

    #[test]
    fn medians_stand_beside_their_ratio_to_nginx() {
        let samples = [vec![sample(300.0), sample(100.0), sample(200.0)], vec![sample(90.0), sample(110.0)]];
        insta::assert_snapshot!(small(&["nginx", "Tombolo"], &samples), @r"
        subject                          req/s            core %        CPU µs/req            p50 ms            p99 ms           RSS MiB
        nginx                      200 (1.00x)              99.0     10.00 (1.00x)      1.00 (1.00x)      2.00 (1.00x)               6.2
        Tombolo                    100 (0.50x)              99.0     10.00 (1.00x)      1.00 (1.00x)      2.00 (1.00x)               6.2
        ");
    }
}
