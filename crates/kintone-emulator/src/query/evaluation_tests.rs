//! Queries against a small app with every kind of field, and against an app of ten million computed records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::fixture::{app, number, record, text, user, values};
use super::{QueryContext, QueryError, QueryResult, run, selection};
use crate::model::{
    Entity, Field, FileValue, GeneratedRecords, Organization, Process, Records, Row, Tenant, Value,
};

fn form() -> Vec<Field> {
    let options = |names: &[&str]| -> Json {
        names.iter().enumerate().map(|(index, name)| ((*name).to_owned(), json!({"index": index}))).collect()
    };
    let definitions = [
        ("number", json!({"type": "NUMBER"})),
        ("名前", json!({"type": "SINGLE_LINE_TEXT"})),
        ("notes", json!({"type": "MULTI_LINE_TEXT"})),
        ("day", json!({"type": "DATE"})),
        ("clock", json!({"type": "TIME"})),
        ("at", json!({"type": "DATETIME"})),
        ("kind", json!({"type": "DROP_DOWN", "options": options(&["A", "B"])})),
        ("tags", json!({"type": "CHECK_BOX", "options": options(&["x", "y", "z"])})),
        ("people", json!({"type": "USER_SELECT"})),
        ("teams", json!({"type": "ORGANIZATION_SELECT"})),
        ("files", json!({"type": "FILE"})),
        ("span", json!({"type": "CALC", "format": "HOUR_MINUTE"})),
        ("record_no", json!({"type": "RECORD_NUMBER"})),
        ("made_by", json!({"type": "CREATOR"})),
        ("made_at", json!({"type": "CREATED_TIME"})),
        ("state", json!({"type": "STATUS"})),
        ("categories", json!({"type": "CATEGORY"})),
        (
            "lines",
            json!({"type": "SUBTABLE", "fields": {
                "item": {"type": "SINGLE_LINE_TEXT"}, "count": {"type": "NUMBER"},
                "size": {"type": "DROP_DOWN", "options": options(&["S", "L"])}}}),
        ),
        (
            "orders",
            json!({"type": "REFERENCE_TABLE", "referenceTable": {"relatedApp": {"app": "2"},
                "condition": {"field": "名前", "relatedField": "customer"}, "filterCond": "amount > 0"}}),
        ),
    ];
    definitions.iter().map(|(code, definition)| Field::from_definition(code, definition).unwrap()).collect()
}

fn strings(list: &[&str]) -> Value {
    Value::Strings(list.iter().map(|&option| option.to_owned()).collect())
}

fn row(id: u64, item: &str, count: &str, size: Value) -> Row {
    Row { id, values: values(vec![("item", text(item)), ("count", number(count)), ("size", size)]) }
}

/// Record 1 and 2 are filled, 3 has empty cells, in the stored forms of the service.
fn tenant() -> Tenant {
    let mut app = app(1, form());
    "CRM".clone_into(&mut app.code);
    app.process = Process::from_definition(
        &json!({"enable": true, "states": {"Open": {"index": 0}, "Closed": {"index": 1}}}),
    );
    let file = FileValue {
        content_type: "text/plain".into(),
        file_key: "k".into(),
        name: "report-2024.pdf".into(),
        size: 3,
    };
    app.records.put(record(
        1,
        vec![
            ("number", number("9.5")),
            ("名前", text("青木商店")),
            ("notes", text("kintone app for 大阪支社")),
            ("day", text("2024-02-28")),
            ("clock", text("09:30")),
            ("at", text("2024-02-28T15:30:00Z")),
            ("kind", text("A")),
            ("tags", strings(&["x", "y"])),
            ("people", Value::Entities(vec![Entity::new("ann", "Ann"), Entity::new("bob", "Bob")])),
            ("teams", Value::Entities(vec![Entity::new("sales", "Sales")])),
            ("files", Value::Files(vec![file])),
            ("span", text("49:30")),
            ("lines", Value::Rows(vec![row(1, "pen", "2", text("S")), row(2, "ink", "10", text("L"))])),
        ],
    ));
    app.records.put(record(
        2,
        vec![
            ("number", number("-10")),
            ("名前", text("Birch Ltd")),
            ("notes", text(" \u{3000}\n")),
            ("day", text("2024-03-01")),
            ("clock", text("18:00")),
            ("at", text("2024-02-29T15:00:00Z")),
            ("kind", text("B")),
            ("tags", strings(&["z"])),
            ("people", Value::Entities(vec![Entity::new("bob", "Bob")])),
            ("teams", Value::Entities(Vec::new())),
            ("span", text("9:00")),
            ("lines", Value::Rows(vec![row(3, "pen", "10", Value::Null)])),
        ],
    ));
    app.records.put(record(3, vec![("名前", text("")), ("number", text("")), ("kind", Value::Null)]));

    let mut orders = super::fixture::app(
        2,
        vec![
            Field::from_definition("customer", &json!({"type": "SINGLE_LINE_TEXT"})).unwrap(),
            Field::from_definition("amount", &json!({"type": "NUMBER"})).unwrap(),
        ],
    );
    for (id, customer, amount) in [(1, "青木商店", "100"), (2, "Birch Ltd", "-5"), (3, "", "100")] {
        orders.records.put(record(id, vec![("customer", text(customer)), ("amount", number(amount))]));
    }
    Tenant {
        apps: BTreeMap::from([(1, app), (2, orders)]),
        users: vec![user(1, "ann", &["sales"]), user(2, "bob", &[])],
        organizations: vec![Organization {
            id: 1,
            code: "sales".into(),
            name: "Sales".into(),
            parent: None,
            description: String::new(),
        }],
        ..Tenant::default()
    }
}

fn context(tenant: &Tenant) -> QueryContext<'_> {
    // Midnight in UTC at the beginning of the 29th.
    QueryContext::new(tenant, "ann", "2024-02-29T00:00:00Z".parse().unwrap())
}

fn ids(result: &QueryResult<'_>) -> Vec<u64> {
    result.ids.clone()
}

fn answer(text: &str) -> Result<Vec<u64>, &'static str> {
    let tenant = tenant();
    run(&tenant.apps[&1], &context(&tenant), text, 100).map(|result| ids(&result)).map_err(|error| error.code)
}

/// Each query with the ids that it selects, in ascending order.
#[test]
fn selects_as_the_service_does() {
    let cases: &[(&str, &[u64])] = &[
        ("", &[1, 2, 3]),
        // Empty cells: less than everything, equal to "" alone.
        ("day < \"2024-03-01\"", &[1, 3]),
        ("day <= \"2024-03-01\"", &[1, 2, 3]),
        ("day >= \"2024-02-28\"", &[1, 2]),
        ("day != \"2024-03-01\"", &[1, 3]),
        ("day = \"\"", &[3]),
        ("day = \"2024-3-1\"", &[2]),
        ("名前 != \"Birch Ltd\"", &[1, 3]),
        ("名前 in (\"\", \"Birch Ltd\")", &[2, 3]),
        ("名前 not in (\"Birch Ltd\")", &[1, 3]),
        ("number < 0", &[2, 3]),
        ("number > -10.0", &[1]),
        ("number >= \"-1e1\"", &[1, 2]),
        ("number = 9.50", &[1]),
        ("number in (\"9.5\", \"\")", &[1, 3]),
        ("number != 9.5", &[2, 3]),
        ("clock < \"9:31\"", &[1, 3]),
        ("span > \"9:30\"", &[1]),
        // Choices.
        ("kind in (\"A\")", &[1]),
        ("kind in (\"\")", &[3]),
        ("kind not in (\"A\")", &[2, 3]),
        ("tags in (\"y\", \"z\")", &[1, 2]),
        ("tags not in (\"x\")", &[2, 3]),
        ("tags in (\"\")", &[3]),
        ("state = \"Open\"", &[1]),
        ("state not in (\"Open\")", &[2, 3]),
        // People.
        ("people in (LOGINUSER())", &[1]),
        ("people not in (\"ann\")", &[2, 3]),
        ("people in (\"\")", &[3]),
        ("people in (\"BOB\")", &[1, 2]),
        ("made_by in (LOGINUSER())", &[1]),
        ("made_by in (\"Administrator\")", &[]),
        ("teams in (PRIMARY_ORGANIZATION())", &[1]),
        // Words.
        ("notes like \"KINTONE\"", &[1]),
        ("notes like \"kint\"", &[]),
        ("notes not like \"大阪\"", &[2, 3]),
        ("files like \"2024\"", &[1]),
        ("files is not empty", &[1]),
        ("notes is empty", &[2, 3]),
        // Tables: conditions joined by `and` meet in one row; no row meets nothing.
        ("item in (\"pen\") and count >= 10", &[2]),
        ("item in (\"pen\") and (number < 100 and count >= 10)", &[2]),
        ("item in (\"pen\") or count >= 10", &[1, 2]),
        ("item not in (\"pen\")", &[1]),
        ("size in (\"\")", &[2]),
        ("size not in (\"S\")", &[1, 2]),
        // Related records with their own filter; an empty key relates to nothing.
        ("orders.amount >= -100", &[1]),
        ("orders.customer like \"青木\"", &[1]),
        // Numbers of records, with the app's code or without.
        ("record_no = \"CRM-2\"", &[2]),
        ("record_no > 1", &[2, 3]),
        ("$id in (1, \"3\", 99)", &[1, 3]),
        ("$id not in (1)", &[2, 3]),
        ("$id != 2", &[1, 3]),
        ("$id > -5 and $id <= 2", &[1, 2]),
        ("$id > 2 and $id < 2", &[]),
        ("$id = 99999999999999999999999", &[]),
        ("$id = 1 or $id = 3", &[1, 3]),
        // Times, by the day of the caller.
        ("at = THIS_MONTH()", &[1, 2]),
        ("at = TODAY()", &[2]),
        ("at < TODAY()", &[1, 3]),
        ("day = YESTERDAY()", &[1]),
        ("day > TODAY()", &[2]),
        ("made_at < NOW()", &[1, 2, 3]),
        ("at = \"2024-02-29T00:30:45+09:00\"", &[1]),
    ];
    for (query, expected) in cases {
        let query = if query.is_empty() { "order by $id asc" } else { &format!("{query} order by $id asc") };
        assert_eq!(answer(query).as_deref(), Ok(*expected), "{query}");
    }
}

#[test]
fn days_follow_the_callers_time_zone() {
    let tenant = tenant();
    let tokyo =
        QueryContext { time_zone: jiff::tz::TimeZone::fixed(jiff::tz::offset(9)), ..context(&tenant) };
    // 15:30 UTC of the 28th is the 29th in Tokyo, 15:00 UTC of the 29th the first of March.
    assert_eq!(ids(&run(&tenant.apps[&1], &tokyo, "at = TODAY()", 100).unwrap()), [1]);
}

#[test]
fn a_missing_primary_organization_is_no_condition() {
    let tenant = tenant();
    let bob = QueryContext { login_name: "bob", ..context(&tenant) };
    let found = run(&tenant.apps[&1], &bob, "teams in (PRIMARY_ORGANIZATION())", 100).unwrap();
    assert_eq!(ids(&found), [3, 2, 1]);
}

#[test]
fn sorts_and_pages() {
    let cases: &[(&str, &[u64])] = &[
        ("", &[3, 2, 1]),
        ("order by number", &[3, 2, 1]),
        ("order by number desc", &[1, 2, 3]),
        ("order by made_by desc, day desc", &[2, 3, 1]),
        ("order by made_by desc", &[3, 2, 1]),
        ("order by record_no asc, day desc limit 1 offset 1", &[2]),
        ("order by span asc limit 2", &[3, 2]),
        ("order by 名前 desc limit 2 offset 1", &[2, 3]),
        ("limit 0", &[]),
        ("offset 10000", &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(answer(query).as_deref(), Ok(*expected), "{query}");
    }
}

#[test]
fn refuses_with_the_codes_of_the_service() {
    let cases = [
        ("unknown = 1", "GAIA_IQ11"),
        ("$revision = 1", "GAIA_IQ11"),
        ("order by unknown", "GAIA_IQ11"),
        ("order by lines", "CB_VA01"),
        ("order by count", "CB_VA01"),
        ("notes = \"x\"", "GAIA_IQ03"),
        ("day in (\"2024-01-01\")", "GAIA_IQ03"),
        ("名前 > \"x\"", "GAIA_IQ03"),
        ("名前 is empty", "GAIA_IQ03"),
        ("lines in (\"x\")", "GAIA_IQ03"),
        ("categories in (\"x\")", "GAIA_IQ03"),
        ("$id like \"1\"", "GAIA_IQ03"),
        // The option is looked at before the operator.
        ("kind = \"A\"", "GAIA_IQ03"),
        ("kind = \"C\"", "GAIA_IQ10"),
        ("tags in (\"x\", \"w\")", "GAIA_IQ10"),
        ("state in (\"Lost\")", "GAIA_IQ10"),
        ("size = \"M\"", "GAIA_IQ10"),
        ("item = \"pen\"", "GAIA_IQ07"),
        ("count != 1", "GAIA_IQ07"),
        ("orders.amount = 1", "GAIA_IR02"),
        ("orders.unknown in (1)", "GAIA_IR02"),
        ("orders in (1)", "GAIA_IR02"),
        ("day.amount in (1)", "GAIA_IR02"),
        ("people in (\"zoe\")", "GAIA_IL26"),
        ("teams in (\"navy\")", "GAIA_IL28"),
        ("day = FROM_TODAY(1)", "GAIA_IQ23"),
        ("number = TODAY()", "GAIA_IQ23"),
        ("名前 = LOGINUSER()", "GAIA_IQ23"),
        ("teams in (LOGINUSER())", "GAIA_IQ23"),
        ("$id = TODAY()", "GAIA_IQ23"),
        ("day = SOMEDAY()", "CB_VA01"),
        ("number = \"abc\"", "CB_VA01"),
        ("day > \"soon\"", "CB_VA01"),
        ("$id > 1.5", "CB_VA01"),
        ("number in 1", "CB_VA01"),
        ("limit 501", "GAIA_QU01"),
        ("limit 99999999999999999999999", "GAIA_QU01"),
        ("offset 10001", "GAIA_QU02"),
        ("limit -1", "CB_VA01"),
        ("offset -1", "CB_VA01"),
    ];
    for (query, code) in cases {
        assert_eq!(answer(query), Err(code), "{query}");
    }
}

#[test]
fn status_needs_process_management() {
    let mut tenant = tenant();
    tenant.apps.get_mut(&1).unwrap().process.enabled = false;
    let refused = |query| run(&tenant.apps[&1], &context(&tenant), query, 100).map(drop).unwrap_err().code;
    assert_eq!(refused("state = \"Open\""), "GAIA_ST02");
}

#[test]
fn a_cursor_takes_neither_limit_nor_offset() {
    let tenant = tenant();
    let ids = |text| selection(&tenant.apps[&1], &context(&tenant), text).map(|selection| selection.ids());
    assert_eq!(ids("number > -100 order by number asc"), Ok(vec![2, 1]));
    assert_eq!(ids("$id >= 2"), Ok(vec![3, 2]));
    let code = |text| ids(text).map_err(|error: QueryError| error.code);
    assert_eq!(code("limit 1"), Err("CB_VA01"));
    assert_eq!(code("order by $id asc offset 1"), Err("CB_VA01"));
}

#[test]
fn a_search_with_too_many_hits_is_aborted() {
    let tenant = tenant();
    let app = &tenant.apps[&1];
    let few = QueryContext { most_search_hits: 1, ..context(&tenant) };
    let aborted = run(app, &few, "名前 not like \"zebra\" order by $id asc", 100).unwrap();
    assert_eq!((aborted.is_aborted, ids(&aborted), aborted.total()), (true, vec![1], 1));
    let complete = run(app, &few, "notes like \"kintone\"", 100).unwrap();
    assert_eq!((complete.is_aborted, ids(&complete)), (false, vec![1]));
    assert!(!run(app, &few, "number > -100", 100).unwrap().is_aborted);
}

const MANY: u64 = 10_000_000;

fn many() -> Tenant {
    let mut app = app(1, form());
    let fields = Arc::clone(&app.fields);
    app.records =
        Records::generated(GeneratedRecords::new(MANY, fields, app.created_at, app.creator.clone()));
    assert!(app.records.remove(5));
    app.records.put(record(MANY + 7, vec![("名前", text("new"))]));
    Tenant { apps: BTreeMap::from([(1, app)]), ..Tenant::default() }
}

/// These would take minutes if they looked at every record.
#[test]
fn ranges_of_ids_look_at_no_other_record() {
    let tenant = many();
    let answer = |text| run(&tenant.apps[&1], &context(&tenant), text, 100).unwrap();
    let page = answer("$id > 4999998 and $id <= 9000000 order by $id asc limit 3");
    assert_eq!((ids(&page), page.total()), (vec![4_999_999, 5_000_000, 5_000_001], 4_000_002));
    let all = answer("limit 2");
    assert_eq!((ids(&all), all.total()), (vec![MANY + 7, MANY], MANY));
    assert_eq!(ids(&answer("$id < 7 order by $id desc limit 3")), [6, 4, 3]);
    let listed = answer("$id in (5, 6, 10000007) and $id > 0 order by $id asc");
    assert_eq!((ids(&listed), listed.total()), (vec![6, MANY + 7], 2));
    // Further conditions are evaluated only until the page is full.
    assert_eq!(answer("($id > 1000) and number >= 0 order by $id asc limit 500").ids.len(), 500);
    assert_eq!(answer("$id > 9999990 and number < 0 order by 名前 asc").ids.len(), 1);
}

#[test]
fn sorting_many_records_keeps_the_first_ones() {
    let tenant = many();
    let answer = |text| ids(&run(&tenant.apps[&1], &context(&tenant), text, 100).unwrap());
    let sorted: Vec<u64> = {
        let mut all: Vec<(u64, std::cmp::Reverse<u64>)> = (20_000..40_000)
            .map(|id| {
                let record = tenant.apps[&1].records.get(id).unwrap();
                (record.values["number"].as_text().unwrap().parse().unwrap(), std::cmp::Reverse(id))
            })
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, id)| id.0).collect()
    };
    assert_eq!(answer("$id >= 20000 and $id < 40000 order by number asc limit 500"), sorted[..500]);
    assert_eq!(
        answer("$id >= 20000 and $id < 40000 order by number asc limit 50 offset 9950"),
        sorted[9950..10_000]
    );
}

/// Comparisons of every kind, on ids and cells of records, none on tables (where `and` means more).
const COMPARISONS: [&str; 16] = [
    "$id > 1",
    "$id >= 3",
    "$id < 3",
    "$id <= 1",
    "$id = 2",
    "$id != 2",
    "$id in (1, 3)",
    "$id not in (3)",
    "record_no in (\"CRM-1\", 2)",
    "number < 0",
    "day != \"\"",
    "kind in (\"A\", \"\")",
    "tags not in (\"x\")",
    "notes like \"app\"",
    "teams in (PRIMARY_ORGANIZATION())",
    "orders.amount > 0",
];

fn condition() -> impl Strategy<Value = String> {
    prop::sample::select(COMPARISONS.to_vec()).prop_map(str::to_owned).prop_recursive(3, 12, 3, |inner| {
        let parts = prop::collection::vec(inner, 2..4);
        (parts, any::<bool>()).prop_map(|(parts, all)| {
            let parts: Vec<String> = parts.iter().map(|part| format!("({part})")).collect();
            parts.join(if all { " and " } else { " or " })
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Ranges of ids are taken out of a condition before it is evaluated: that must not change what it means.
    #[test]
    fn and_is_the_intersection_and_or_the_union(left in condition(), right in condition()) {
        let tenant = tenant();
        let selected = |text: &str| -> BTreeSet<u64> {
            selection(&tenant.apps[&1], &context(&tenant), text).unwrap().ids().into_iter().collect()
        };
        let (a, b) = (selected(&left), selected(&right));
        prop_assert_eq!(selected(&format!("({left}) and ({right})")), &a & &b);
        prop_assert_eq!(selected(&format!("({left}) or ({right})")), &a | &b);
    }

    #[test]
    fn pages_and_totals_agree_with_the_whole(condition in condition(), offset in 0u64..5, limit in 0u64..5) {
        let tenant = tenant();
        let app = &tenant.apps[&1];
        for order in ["$id asc", "$id desc", "number asc, day desc"] {
            let query = format!("{condition} order by {order}");
            let whole = selection(app, &context(&tenant), &query).unwrap();
            let page = run(app, &context(&tenant), &format!("{query} limit {limit} offset {offset}"), 100).unwrap();
            let expected: Vec<u64> =
                whole.ids().into_iter().skip(offset as usize).take(limit as usize).collect();
            prop_assert_eq!(ids(&page), expected);
            prop_assert_eq!(page.total(), whole.ids().len() as u64);
            for id in 1..=3 {
                let record = app.records.get(id).unwrap();
                prop_assert_eq!(whole.contains(&record), whole.ids().contains(&id));
            }
        }
    }
}
