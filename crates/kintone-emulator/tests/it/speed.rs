//! The emulator is not what a benchmark measures. The figures are printed; only a gross loss fails, because the
//! machine may be busy and the build without optimisation.

use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use crate::client::{CUSTOMERS, MEASUREMENTS, Request, Service, get, service};

const BOUND: Duration = Duration::from_millis(500);

/// The best time of 20 pages, connection included.
async fn best_of_20(service: &Service, request: &Request) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let begun = Instant::now();
        let reply = request.to(service).await;
        best = best.min(begun.elapsed());
        assert_eq!(reply.json()["records"].as_array().unwrap().len(), 500);
    }
    best
}

#[tokio::test]
async fn a_page_of_500_records_with_20_fields_is_quick() {
    let service = service().await;
    let records: Vec<Map<String, Json>> = (0..500)
        .map(|number| {
            let record = json!({
                "customer_code": format!("S{number}"),
                "company": format!("Company {number}"),
                "industry": "Retail",
                "employees": number,
                "notes": "two\nlines",
            });
            record.as_object().unwrap().clone()
        })
        .collect();
    service.control.add_records("demo", 1, &records).unwrap();
    for (kind, app, token) in [("stored", 1, CUSTOMERS), ("computed", 4, MEASUREMENTS)] {
        let request = get(&format!("/k/v1/records.json?app={app}&query=limit+500")).token(token);
        let best = best_of_20(&service, &request).await;
        eprintln!("the best of 20 pages of {kind} records took {best:?}");
        assert!(best < BOUND, "{kind}: {best:?}");
    }
}
