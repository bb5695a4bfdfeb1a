//! The emulator is not what a benchmark measures.

use std::time::{Duration, Instant};

use crate::client::{MEASUREMENTS, get, service};

/// The bound of a build with optimisation is 2 ms; without, only a gross loss is noticed.
const BOUND: Duration =
    if cfg!(debug_assertions) { Duration::from_millis(200) } else { Duration::from_millis(2) };

#[tokio::test]
async fn a_page_of_500_records_with_20_fields_is_quick() {
    let service = service().await;
    let request = get("/k/v1/records.json?app=4&query=limit+500").token(MEASUREMENTS);
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let begun = Instant::now();
        let reply = request.to(&service).await;
        best = best.min(begun.elapsed());
        assert!(reply.body.len() > 500_000);
    }
    eprintln!("the best of 20 pages took {best:?}");
    assert!(best < BOUND, "{best:?}");
}
