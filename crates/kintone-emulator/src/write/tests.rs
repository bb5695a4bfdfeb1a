//! Requests against an app with every kind of field: what is stored, what is refused, what an answer shows.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::render::Shown;
use super::{Batch, WriteContext, WriteError, Written};
use crate::model::{Entity, Field, Group, Organization, Process, StoredFile, Tenant};
use crate::query::fixture::{app, number, record, text, user};

mod unique;

const FORM: &str = r#"{
        "no": {"type": "RECORD_NUMBER"},
        "title": {"type": "SINGLE_LINE_TEXT", "required": true, "minLength": "2", "maxLength": "5"},
        "key": {"type": "SINGLE_LINE_TEXT", "unique": true},
        "rank": {"type": "NUMBER", "unique": true},
        "amount": {"type": "NUMBER", "minValue": "-10", "maxValue": "1000", "defaultValue": "7"},
        "sum": {"type": "CALC"},
        "memo": {"type": "MULTI_LINE_TEXT"},
        "day": {"type": "DATE", "defaultNowValue": true},
        "clock": {"type": "TIME"},
        "at": {"type": "DATETIME"},
        "color": {"type": "DROP_DOWN", "options": {"red": {"index": 0}, "blue": {"index": 1}}},
        "size": {"type": "RADIO_BUTTON", "required": true, "defaultValue": "L",
                 "options": {"S": {"index": 0}, "L": {"index": 1}}},
        "tags": {"type": "CHECK_BOX", "defaultValue": ["b"], "options": {"a": {"index": 0}, "b": {"index": 1}}},
        "people": {"type": "USER_SELECT", "defaultValue": [{"type": "FUNCTION", "code": "LOGINUSER()"}]},
        "teams": {"type": "ORGANIZATION_SELECT"},
        "roles": {"type": "GROUP_SELECT"},
        "papers": {"type": "FILE"},
        "product": {"type": "SINGLE_LINE_TEXT", "lookup": {"relatedApp": {"app": "2"}, "relatedKeyField": "code",
            "fieldMappings": [{"field": "price", "relatedField": "price"}]}},
        "price": {"type": "NUMBER"},
        "made_by": {"type": "CREATOR"}, "changed_by": {"type": "MODIFIER"},
        "made_at": {"type": "CREATED_TIME"}, "changed_at": {"type": "UPDATED_TIME"},
        "state": {"type": "STATUS"}, "actor": {"type": "STATUS_ASSIGNEE"},
        "shelf": {"type": "CATEGORY", "enabled": false},
        "lines": {"type": "SUBTABLE", "fields": {
            "item": {"type": "SINGLE_LINE_TEXT", "required": true, "defaultValue": "any"},
            "count": {"type": "NUMBER"},
            "kind": {"type": "CHECK_BOX", "options": {"x": {"index": 0}}},
            "part": {"type": "NUMBER", "lookup": {"relatedApp": {"app": "2"}, "relatedKeyField": "number",
                "fieldMappings": [{"field": "part_price", "relatedField": "price"}]}},
            "part_price": {"type": "NUMBER"}}},
        "related": {"type": "REFERENCE_TABLE"}
    }"#;

fn form() -> Vec<Field> {
    let definitions: Json = serde_json::from_str(FORM).unwrap();
    let definitions = definitions.as_object().unwrap();
    definitions.iter().map(|(code, definition)| Field::from_definition(code, definition).unwrap()).collect()
}

fn tenant() -> Tenant {
    let mut main = app(1, form());
    "CRM".clone_into(&mut main.code);
    let mut source = app(
        2,
        vec![
            Field::from_definition("code", &json!({"type": "SINGLE_LINE_TEXT"})).unwrap(),
            Field::from_definition("number", &json!({"type": "NUMBER"})).unwrap(),
            Field::from_definition("price", &json!({"type": "NUMBER"})).unwrap(),
        ],
    );
    source
        .records
        .put(record(1, vec![("code", text("pen")), ("number", number("10")), ("price", number("1.5"))]));
    source.records.put(record(2, vec![("code", text("ink")), ("number", number("20")), ("price", text(""))]));
    let upload = StoredFile {
        name: "a.txt".into(),
        content_type: "text/plain".into(),
        content: Bytes::from_static(b"abc"),
        uploaded_at: Timestamp::UNIX_EPOCH,
        attached: false,
    };
    Tenant {
        apps: BTreeMap::from([(1, main), (2, source)]),
        users: vec![user(1, "ann", &["sales"]), user(2, "bob", &[])],
        organizations: vec![Organization {
            id: 1,
            code: "sales".into(),
            name: "Sales".into(),
            parent: None,
            description: String::new(),
        }],
        groups: vec![Group { id: 1, code: "boss".into(), name: "Bosses".into(), description: String::new() }],
        files: BTreeMap::from([("upload".to_owned(), upload)]),
        ..Tenant::default()
    }
}

/// What the caller may do beside writing.
#[derive(Clone, Copy)]
struct Rights {
    administers_app: bool,
    views_sources: bool,
}

const EVERYTHING: Rights = Rights { administers_app: true, views_sources: true };
const RECORDS: Rights = Rights { administers_app: false, views_sources: true };

/// Runs a request of Ann's at 23:30 UTC, which is the next day in Tokyo, where she is, and stores it.
fn request(
    tenant: &mut Tenant,
    rights: Rights,
    steps: impl FnOnce(&mut Batch<'_>) -> Result<(), WriteError>,
) -> Result<Vec<Written>, WriteError> {
    let keys = Cell::new(0);
    let new_file_key = || {
        keys.set(keys.get() + 1);
        format!("download{}", keys.get())
    };
    let may_view = |_| rights.views_sources;
    let mut batch = Batch::new(WriteContext {
        tenant,
        app: &tenant.apps[&1],
        actor: Entity::new("ann", "ANN"),
        now: "2024-02-28T23:30:59Z".parse().unwrap(),
        time_zone: TimeZone::fixed(jiff::tz::offset(9)),
        administers_app: rights.administers_app,
        may_view: &may_view,
        new_file_key: &new_file_key,
    });
    steps(&mut batch)?;
    let changes = batch.finish()?;
    let written = changes.written.clone();
    changes.apply(tenant);
    Ok(written)
}

fn members(cells: &Json) -> Map<String, Json> {
    let cells = cells.as_object().unwrap();
    cells.iter().map(|(code, value)| (code.clone(), json!({"value": value}))).collect()
}

fn insert(tenant: &mut Tenant, rights: Rights, cells: &Json) -> Result<u64, WriteError> {
    let mut cells = members(cells);
    cells.entry("title").or_insert_with(|| json!({"value": "abc"}));
    let written = request(tenant, rights, |batch| batch.insert("record", &cells).map(drop))?;
    Ok(written[0].id)
}

fn update(tenant: &mut Tenant, id: u64, cells: &Json) -> Result<(), WriteError> {
    request(tenant, RECORDS, |batch| batch.update("record", id, &members(cells))).map(drop)
}

fn rendered(tenant: &Tenant, id: u64) -> Json {
    let mut out = Vec::new();
    Shown::all(&tenant.apps[&1]).record(tenant.apps[&1].records.find(id).unwrap(), &mut out);
    serde_json::from_slice(&out).unwrap()
}

fn cell(tenant: &Tenant, id: u64, code: &str) -> Json {
    rendered(tenant, id)[code]["value"].clone()
}

/// Cells as they are given and as they are answered.
#[test]
fn cells_are_stored_in_their_normal_form() {
    let cases = [
        ("amount", json!("1.5e1"), json!("15")),
        ("amount", json!(12.5), json!("12.5")),
        ("amount", json!("-0.00005"), json!("0")),
        ("amount", json!("1.00015"), json!("1.0002")),
        ("amount", json!(null), json!("")),
        ("amount", json!(""), json!("")),
        ("memo", json!(" a\n\"b\"\u{1} "), json!(" a\n\"b\"\u{1} ")),
        ("day", json!("2024"), json!("2024-01-01")),
        ("day", json!("2024-2"), json!("2024-02-01")),
        ("day", json!(""), json!(null)),
        ("clock", json!("9:05:59"), json!("09:05")),
        ("at", json!("2024-01-01T00:30:59+09:00"), json!("2023-12-31T15:30:00Z")),
        ("at", json!("2024-01-01"), json!("2024-01-01T00:00:00Z")),
        ("color", json!("blue"), json!("blue")),
        ("color", json!(""), json!(null)),
        ("size", json!("S"), json!("S")),
        ("size", json!(null), json!("L")),
        ("tags", json!(["b", "a"]), json!(["a", "b"])),
        ("tags", json!([]), json!([])),
        ("people", json!([{"code": "bob"}, {"code": "bob"}]), json!([{"code": "bob", "name": "BOB"}])),
        ("teams", json!([{"code": "sales"}]), json!([{"code": "sales", "name": "Sales"}])),
        ("roles", json!([{"code": "boss"}]), json!([{"code": "boss", "name": "Bosses"}])),
        ("product", json!("pen"), json!("pen")),
        // Nobody writes these; an unknown code is ignored.
        ("sum", json!("5"), json!("")),
        ("price", json!("99"), json!("")),
        ("no", json!("77"), json!("CRM-1")),
        ("$id", json!("77"), json!("1")),
        ("unknown", json!("x"), json!(null)),
    ];
    for (code, given, stored) in cases {
        let mut tenant = tenant();
        let id = insert(&mut tenant, RECORDS, &json!({code: given})).unwrap();
        assert_eq!(cell(&tenant, id, code), stored, "{code} {given}");
    }
}

#[test]
fn wrong_cells_are_named_by_their_paths() {
    let cases = [
        (json!({"title": ""}), "record.title.value", "Required."),
        (json!({"title": "a"}), "record.title.value", "Enter 2 characters or more."),
        (json!({"title": "あいうえおか"}), "record.title.value", "Enter 5 characters or less."),
        (json!({"key": "x".repeat(65)}), "record.key.value", "Enter 64 characters or less."),
        (json!({"amount": "12a"}), "record.amount.value", "Only numbers are allowed."),
        (json!({"amount": "-10.1"}), "record.amount.value", "Enter a number of -10 or greater."),
        (json!({"amount": 1001}), "record.amount.value", "Enter a number of 1000 or less."),
        (
            json!({"rank": "1e12"}),
            "record.rank.value",
            "The number has more than 12 digits before the decimal point.",
        ),
        (json!({"amount": ["1"]}), "record.amount.value", "The value must be a string."),
        (json!({"day": "2024-02-30"}), "record.day.value", "Enter a date in the form YYYY-MM-DD."),
        (json!({"clock": "25:00"}), "record.clock.value", "Enter a time in the form HH:MM."),
        (json!({"at": "soon"}), "record.at.value", "Enter a date and time in the form YYYY-MM-DDTHH:MM:SSZ."),
        (json!({"color": "green"}), "record.color.value", "The value \"green\" is not in the options."),
        (
            json!({"tags": ["a", "c"]}),
            "record.tags.values[1].value",
            "The value \"c\" is not in the options.",
        ),
        (json!({"tags": "a"}), "record.tags.value", "The value must be an array of strings."),
        (json!({"people": [{"name": "x"}]}), "record.people.values.value", "Each entry needs a code."),
        (json!({"papers": [{}]}), "record.papers.values[0].fileKey", "Required."),
        (json!({"lines": {}}), "record.lines.value", "The value must be an array of rows."),
        (
            json!({"lines": [{"value": {}}, {"value": {"item": {"value": ""}}}]}),
            "record.lines.value[1].value.item.value",
            "Required.",
        ),
        (
            json!({"lines": [{"value": {"kind": {"value": ["y"]}}}]}),
            "record.lines.value[0].value.kind.values[0].value",
            "The value \"y\" is not in the options.",
        ),
    ];
    for (cells, path, message) in cases {
        let error = insert(&mut tenant(), RECORDS, &cells).unwrap_err();
        assert_eq!((error.code, error.status), ("CB_VA01", 400), "{cells}");
        assert_eq!(error.errors, [(path.to_owned(), vec![message.to_owned()])], "{cells}");
    }
}

#[test]
fn other_refusals_have_codes_of_their_own() {
    let cases = [
        (json!({"people": [{"code": "zoe"}]}), ("GAIA_IL26", 400)),
        (json!({"teams": [{"code": "navy"}]}), ("GAIA_IL28", 400)),
        (json!({"roles": [{"code": "king"}]}), ("GAIA_IL28", 400)),
        (json!({"papers": [{"fileKey": "gone"}]}), ("GAIA_BL01", 404)),
        (json!({"product": "car"}), ("GAIA_LO04", 400)),
        (json!({"made_at": "2020-01-01T00:00Z"}), ("CB_NO02", 403)),
    ];
    for (cells, expected) in cases {
        let error = insert(&mut tenant(), RECORDS, &cells).unwrap_err();
        assert_eq!((error.code, error.status), expected, "{cells}");
        assert!(error.errors.is_empty());
    }
    assert_eq!(update(&mut tenant(), 5, &json!({})).unwrap_err().code, "GAIA_RE01");
}

#[test]
fn all_wrong_cells_of_all_records_are_reported_and_nothing_is_stored() {
    let mut tenant = tenant();
    let cells =
        json!({"title": {"value": "abc"}, "amount": {"value": "x"}, "clock": 5, "day": {"value": "y"}});
    let error = request(&mut tenant, RECORDS, |batch| {
        batch.insert("records[0]", &members(&json!({"title": "fine"})))?;
        batch.insert("records[1]", cells.as_object().unwrap()).map(drop)
    })
    .unwrap_err();
    let paths: Vec<&str> = error.errors.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["records[1].amount.value", "records[1].day.value", "records[1].clock"]);
    assert!(tenant.apps[&1].records.is_empty());
}

#[test]
fn a_new_record_gets_defaults_and_an_update_does_not() {
    let mut tenant = tenant();
    let id =
        insert(&mut tenant, RECORDS, &json!({"lines": [{"value": {"count": {"value": "oops"}}}]})).unwrap();
    let expected = json!({
        "amount": "7", "day": "2024-02-29", "clock": null, "size": "L", "tags": ["b"],
        "people": [{"code": "ann", "name": "ANN"}], "key": "", "color": null, "papers": [],
        "made_by": {"code": "ann", "name": "ANN"}, "made_at": "2024-02-28T23:30:00Z", "$revision": "1", "$id": "1",
    });
    for (code, value) in expected.as_object().unwrap() {
        assert_eq!(cell(&tenant, id, code), *value, "{code}");
    }
    let row = cell(&tenant, id, "lines")[0].clone();
    assert_eq!(row["id"], "1");
    assert_eq!(row["value"]["item"]["value"], "any");
    assert_eq!(row["value"]["count"]["value"], "", "a wrong number in a table is emptied");

    update(&mut tenant, id, &json!({"amount": null, "tags": [], "made_at": "2020-01-01T00:00Z"})).unwrap();
    update(
        &mut tenant,
        id,
        &json!({"lines": [{"value": {"item": {"value": "ink"}, "kind": {"value": ["x"]}}}]}),
    )
    .unwrap();
    assert_eq!(cell(&tenant, id, "amount"), "");
    assert_eq!(cell(&tenant, id, "title"), "abc");
    assert_eq!(cell(&tenant, id, "made_at"), "2024-02-28T23:30:00Z");
    assert_eq!(cell(&tenant, id, "$revision"), "3");
}

#[test]
fn history_is_set_by_whoever_administers_the_app() {
    let mut tenant = tenant();
    let cells = json!({"made_by": {"code": "bob"}, "made_at": "2020-01-02T03:04:05Z", "changed_by": {"code": "bob"},
                       "changed_at": "2021-01-01"});
    let id = insert(&mut tenant, EVERYTHING, &cells).unwrap();
    assert_eq!(cell(&tenant, id, "made_by"), json!({"code": "bob", "name": "BOB"}));
    assert_eq!(cell(&tenant, id, "made_at"), "2020-01-02T03:04:00Z");
    assert_eq!(cell(&tenant, id, "changed_at"), "2021-01-01T00:00:00Z");
    let wrong = json!({"made_by": "bob", "made_at": "then"});
    assert_eq!(insert(&mut tenant, EVERYTHING, &wrong).unwrap_err().errors.len(), 2);
}

#[test]
fn rows_are_matched_by_their_ids() {
    let mut tenant = tenant();
    let row =
        |item: &str, count: &str| json!({"value": {"item": {"value": item}, "count": {"value": count}}});
    let lines = json!({"lines": [row("a", "1"), row("b", "2"), row("c", "3")]});
    let id = insert(&mut tenant, RECORDS, &lines).unwrap();
    // Row 3 moves to the front and keeps its item, row 1 stays as it is, row 2 is gone, two rows are new: one
    // of them names an id that another record's row might have, the other one a row that is already listed.
    let lines = json!({"lines": [
        {"id": "3", "value": {"count": {"value": "30"}}}, {"id": 1},
        {"id": "99", "value": {"item": {"value": "d"}}}, {"id": "3", "value": {"item": {"value": "e"}}}]});
    update(&mut tenant, id, &lines).unwrap();
    let rows = |tenant: &Tenant| -> Vec<String> {
        let rows = cell(tenant, id, "lines");
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| {
            let text = |code: &str| row["value"][code]["value"].as_str().unwrap().to_owned();
            format!("{}:{}:{}", row["id"].as_str().unwrap(), text("item"), text("count"))
        })
        .collect()
    };
    assert_eq!(rows(&tenant), ["3:c:30", "1:a:1", "4:d:", "5:e:"]);
    update(&mut tenant, id, &json!({"memo": "the table is left out"})).unwrap();
    assert_eq!(rows(&tenant).len(), 4);
    update(&mut tenant, id, &json!({"lines": []})).unwrap();
    assert_eq!(rows(&tenant), [""; 0]);
    // A row that an update adds gets no defaults, so what is required must be there.
    let error =
        update(&mut tenant, id, &json!({"lines": [{"value": {"count": {"value": "1"}}}]})).unwrap_err();
    assert_eq!(error.errors[0].0, "record.lines.value[0].value.item.value");
}

#[test]
fn lookups_copy_on_write() {
    let mut tenant = tenant();
    let part = |key: &str| json!({"value": {"part": {"value": key}, "part_price": {"value": "8"}}});
    let cells = json!({"product": "pen", "price": "99", "lines": [part("1e1")]});
    let id = insert(&mut tenant, RECORDS, &cells).unwrap();
    assert_eq!(cell(&tenant, id, "price"), "1.5");
    assert_eq!(cell(&tenant, id, "lines")[0]["value"]["part_price"]["value"], "1.5");
    update(&mut tenant, id, &json!({"price": "2"})).unwrap();
    assert_eq!(cell(&tenant, id, "price"), "1.5", "a copied cell is nobody's to write");
    update(&mut tenant, id, &json!({"product": "ink"})).unwrap();
    assert_eq!(cell(&tenant, id, "price"), "");
    update(&mut tenant, id, &json!({"product": ""})).unwrap();
    assert_eq!(cell(&tenant, id, "product"), "");
    let blind = Rights { views_sources: false, ..RECORDS };
    assert_eq!(insert(&mut tenant, blind, &json!({"product": "pen"})).unwrap_err().code, "GAIA_LO04");
    assert!(insert(&mut tenant, blind, &json!({"product": ""})).is_ok());
}

#[test]
fn files_are_taken_from_their_uploads() {
    let mut tenant = tenant();
    let id = insert(&mut tenant, RECORDS, &json!({"papers": [{"fileKey": "upload"}]})).unwrap();
    let file = json!({"fileKey": "download1", "name": "a.txt", "contentType": "text/plain", "size": "3"});
    assert_eq!(cell(&tenant, id, "papers"), json!([file]));
    assert_eq!(tenant.files.keys().collect::<Vec<_>>(), ["download1"]);
    assert!(tenant.files["download1"].attached);
    // The cell keeps a file whose download key is given; another record cannot take it.
    update(&mut tenant, id, &json!({"papers": [{"fileKey": "download1"}]})).unwrap();
    assert_eq!(cell(&tenant, id, "papers"), json!([file]));
    let error = insert(&mut tenant, RECORDS, &json!({"papers": [{"fileKey": "download1"}]})).unwrap_err();
    assert_eq!(error.code, "GAIA_BL01");
}

#[test]
fn the_app_decides_on_precision() {
    let mut tenant = tenant();
    let precision = json!({"numberPrecision": {"digits": "5", "decimalPlaces": "1", "roundingMode": "UP"}});
    tenant.apps.get_mut(&1).unwrap().settings = precision;
    let id = insert(&mut tenant, RECORDS, &json!({"amount": "0.01", "rank": "9999.9"})).unwrap();
    assert_eq!(cell(&tenant, id, "amount"), "0.1");
    assert_eq!(insert(&mut tenant, RECORDS, &json!({"rank": "9999.91"})).unwrap_err().code, "CB_VA01");
}

#[test]
fn a_record_is_rendered_in_the_order_of_the_form() {
    let mut tenant = tenant();
    let id =
        insert(&mut tenant, RECORDS, &json!({"lines": [{"value": {"kind": {"value": ["x"]}}}]})).unwrap();
    let shown = |tenant: &Tenant, codes: &[&str]| {
        let mut out = Vec::new();
        Shown::only(&tenant.apps[&1], codes).record(tenant.apps[&1].records.find(id).unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        shown(&tenant, &["$id", "no", "made_by", "unknown", "item"]),
        r#"{"no":{"type":"RECORD_NUMBER","value":"CRM-1"},"made_by":{"type":"CREATOR","value":{"code":"ann","name":"ANN"}},"$id":{"type":"__ID__","value":"1"}}"#
    );
    assert_eq!(
        shown(&tenant, &["lines"]),
        r#"{"lines":{"type":"SUBTABLE","value":[{"id":"1","value":{"item":{"type":"SINGLE_LINE_TEXT","value":"any"},"count":{"type":"NUMBER","value":""},"kind":{"type":"CHECK_BOX","value":["x"]},"part":{"type":"NUMBER","value":""},"part_price":{"type":"NUMBER","value":""}}}]}}"#
    );
    assert_eq!(shown(&tenant, &["state", "shelf", "related"]), "{}");
    let process = json!({"enable": true, "states": {"Open": {"index": "0"}}});
    tenant.apps.get_mut(&1).unwrap().process = Process::from_definition(&process);
    let id = insert(&mut tenant, RECORDS, &json!({})).unwrap();
    assert_eq!(cell(&tenant, id, "state"), "Open");
    assert_eq!(cell(&tenant, id, "actor"), json!([]));
}

/// People read a record, change a cell and write all of it back.
#[test]
fn writing_back_what_was_read_changes_nothing() {
    let mut tenant = tenant();
    let cells = json!({
        "key": "k", "rank": "1.50", "memo": "a", "at": "2024-01-01T00:00:00+09:00", "color": "red", "tags": ["a"],
        "teams": [{"code": "sales"}], "papers": [{"fileKey": "upload"}], "product": "pen",
        "lines": [{"value": {"count": {"value": "1"}, "kind": {"value": ["x"]}, "part": {"value": "10"}}}],
    });
    let id = insert(&mut tenant, RECORDS, &cells).unwrap();
    let before = rendered(&tenant, id);
    let read = before.as_object().unwrap().clone();
    request(&mut tenant, RECORDS, |batch| batch.update("record", id, &read)).unwrap();
    let mut after = rendered(&tenant, id);
    assert_eq!(after["$revision"]["value"], "2");
    after["$revision"] = before["$revision"].clone();
    assert_eq!(after, before);
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[-+0-9.e:TZ]{0,12}".prop_map(Json::from),
        "\\PC{0,8}".prop_map(Json::from),
        prop::sample::select(vec!["pen", "ann", "upload", "a", "red", "2024-01-01", "10"])
            .prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let name =
            prop::sample::select(vec!["value", "code", "fileKey", "id", "item", "count", "part", "kind"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::vec((name, inner), 0..3).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands in the cells, the request is refused with a code or stored in a form that can be read
    /// and written back.
    #[test]
    fn any_content_is_stored_or_refused(
        cells in prop::collection::btree_map(
            prop::sample::select(form().into_iter().map(|field| field.code).collect::<Vec<_>>()),
            any_json(),
            0..4,
        ),
    ) {
        let mut tenant = tenant();
        let cells: Json = cells.into_iter().collect();
        match insert(&mut tenant, EVERYTHING, &cells) {
            Ok(id) => {
                let read = rendered(&tenant, id).as_object().unwrap().clone();
                request(&mut tenant, RECORDS, |batch| batch.update("record", id, &read)).unwrap();
            }
            Err(error) => prop_assert!((400..410).contains(&error.status)),
        }
    }
}
