//! Samples and their medians.

use super::load::Outcome;
use super::process::Usage;

/// What one measurement of one subject gave.
pub(super) struct Sample {
    pub(super) requests_per_second: f64,
    pub(super) bytes_per_second: f64,
    /// How much of its core the subject used. Well below 100, something else was the bottleneck, and the time per request
    /// is the figure to trust.
    pub(super) core_percent: f64,
    pub(super) cpu_microseconds_per_request: f64,
    /// CPU time for a mebibyte, which says more than time per request when one request takes a second.
    pub(super) cpu_microseconds_per_mebibyte: f64,
    pub(super) median_milliseconds: f64,
    pub(super) percentile_99_milliseconds: f64,
    pub(super) resident_mebibytes: f64,
    /// How far memory has risen, at its highest, above what it was before the first request of this load.
    pub(super) growth_mebibytes: f64,
}

/// One figure of a sample.
pub(super) type Figure = fn(&Sample) -> f64;

const MEBIBYTE: f64 = 1024.0 * 1024.0;

impl Sample {
    /// Combines what the kernel and the load generator say. `resident_before` is from before the first request.
    pub(super) fn new(before: &Usage, after: &Usage, resident_before: u64, outcome: &Outcome) -> Self {
        let seconds = outcome.duration.as_secs_f64();
        let cpu_microseconds = (after.cpu_seconds - before.cpu_seconds) * 1e6;
        Self {
            requests_per_second: outcome.requests as f64 / seconds,
            bytes_per_second: outcome.bytes / seconds,
            core_percent: cpu_microseconds / 1e4 / seconds,
            cpu_microseconds_per_request: cpu_microseconds / outcome.requests.max(1) as f64,
            cpu_microseconds_per_mebibyte: cpu_microseconds / (outcome.bytes / MEBIBYTE).max(1.0),
            median_milliseconds: outcome.median.as_secs_f64() * 1e3,
            percentile_99_milliseconds: outcome.percentile_99.as_secs_f64() * 1e3,
            resident_mebibytes: after.resident as f64 / MEBIBYTE,
            growth_mebibytes: after.resident_peak.saturating_sub(resident_before) as f64 / MEBIBYTE,
        }
    }
}

/// The median of one figure of the samples; of an even number the mean of the middle two, and 0 of none.
pub(super) fn median(samples: &[Sample], figure: Figure) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(figure).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// The highest of one figure of the samples, and 0 of none.
pub(super) fn highest(samples: &[Sample], figure: Figure) -> f64 {
    samples.iter().map(figure).fold(0.0, f64::max)
}
