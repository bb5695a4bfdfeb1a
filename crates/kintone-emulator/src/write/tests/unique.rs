//! Fields that prohibit duplicate values.

use super::*;
use crate::model::{Fields, GeneratedRecords, Records};

#[test]
fn duplicates_are_refused_within_a_request_too() {
    let mut tenant = tenant();
    let first = insert(&mut tenant, RECORDS, &json!({"key": "k1", "rank": "1"})).unwrap();
    let taken =
        [("record.rank.value".to_owned(), vec!["This value already exists in another record.".to_owned()])];
    assert_eq!(insert(&mut tenant, RECORDS, &json!({"rank": "1.0"})).unwrap_err().errors, taken);
    let insert_two = |tenant: &mut Tenant, key: &str| {
        request(tenant, RECORDS, |batch| {
            batch.insert("records[0]", &members(&json!({"title": "aa", "key": "k2"})))?;
            batch.insert("records[1]", &members(&json!({"title": "bb", "key": key}))).map(drop)
        })
    };
    assert_eq!(insert_two(&mut tenant, "k2").unwrap_err().errors[0].0, "records[1].key.value");
    assert_eq!(insert_two(&mut tenant, "").unwrap().len(), 2);
    // A record may keep its own value, and a value that was given up is free.
    update(&mut tenant, first, &json!({"key": "k1", "rank": "2"})).unwrap();
    assert!(insert(&mut tenant, RECORDS, &json!({"rank": "1"})).is_ok());
}

#[test]
fn an_app_of_computed_records_takes_new_ones() {
    let mut tenant = tenant();
    let main = tenant.apps.get_mut(&1).unwrap();
    let many =
        GeneratedRecords::new(10_000_000, Arc::clone(&main.fields), main.created_at, main.creator.clone());
    main.records = Records::generated(many);
    let taken = insert(&mut tenant, RECORDS, &json!({"key": "key-00123456"})).unwrap_err();
    assert_eq!(taken.errors[0].0, "record.key.value");
    assert_eq!(insert(&mut tenant, RECORDS, &json!({"key": "key-10000001", "rank": "0.5"})), Ok(10_000_001));
    update(&mut tenant, 77, &json!({"key": "mine", "color": "red"})).unwrap();
    assert_eq!(cell(&tenant, 77, "color"), "red");
    assert_eq!(tenant.apps[&1].records.len(), 10_000_001);
}

#[test]
fn stored_records_beside_computed_ones_hold_their_values_too() {
    let mut tenant = tenant();
    let main = tenant.apps.get_mut(&1).unwrap();
    let many =
        GeneratedRecords::new(10_000_000, Arc::clone(&main.fields), main.created_at, main.creator.clone());
    main.records = Records::generated(many);
    let added = insert(&mut tenant, RECORDS, &json!({"key": "mine"})).unwrap();
    assert_eq!(
        insert(&mut tenant, RECORDS, &json!({"key": "mine"})).unwrap_err().errors[0].0,
        "record.key.value"
    );
    assert_eq!(find(&mut tenant, "key", &json!("mine")), Ok(Some(added)));
    // A computed record that is written is stored from then on; the value that it gave up is free.
    update(&mut tenant, 77, &json!({"key": "my own"})).unwrap();
    assert_eq!(find(&mut tenant, "key", &json!("my own")), Ok(Some(77)));
    assert_eq!(find(&mut tenant, "key", &json!("key-00000077")), Ok(None));
    assert!(insert(&mut tenant, RECORDS, &json!({"key": "key-00000077"})).is_ok());
    assert!(tenant.apps.get_mut(&1).unwrap().records.remove(added));
    assert_eq!(find(&mut tenant, "key", &json!("mine")), Ok(None));
}

#[test]
fn a_field_that_becomes_unique_knows_the_values_that_are_there() {
    let mut tenant = tenant();
    let first = insert(&mut tenant, RECORDS, &json!({"memo": "", "amount": "5"})).unwrap();
    let second = insert(&mut tenant, RECORDS, &json!({"amount": "5.0"})).unwrap();
    let main = tenant.apps.get_mut(&1).unwrap();
    let mut fields: Vec<Field> = main.fields.iter().cloned().collect();
    fields.iter_mut().filter(|field| field.code == "amount").for_each(|field| field.unique = true);
    main.fields = Arc::new(Fields::new(fields));
    main.records.follow(&main.fields);
    assert_eq!(find(&mut tenant, "amount", &json!("5")), Ok(Some(first)));
    assert!(insert(&mut tenant, RECORDS, &json!({"amount": "5"})).is_err());
    update(&mut tenant, first, &json!({"amount": "6"})).unwrap();
    assert_eq!(
        find(&mut tenant, "amount", &json!("5")),
        Ok(Some(second)),
        "two had it, and one has it still"
    );
}

#[test]
fn records_are_found_by_their_update_key() {
    let mut tenant = tenant();
    let id = insert(&mut tenant, RECORDS, &json!({"key": "k1", "rank": "10"})).unwrap();
    assert_eq!(find(&mut tenant, "rank", &json!("1e1")), Ok(Some(id)));
    assert_eq!(find(&mut tenant, "key", &json!("k1")), Ok(Some(id)));
    assert_eq!(find(&mut tenant, "key", &json!("k2")), Ok(None));
    assert_eq!(find(&mut tenant, "key", &json!("")), Ok(None));
    assert_eq!(find(&mut tenant, "rank", &json!("x")), Ok(None));
    assert_eq!(find(&mut tenant, "title", &json!("abc")), Err("updateKey.field".to_owned()));
    assert_eq!(find(&mut tenant, "item", &json!("abc")), Err("updateKey.field".to_owned()));
}

/// The record that an update key finds, or the place of what is wrong with the key.
fn find(tenant: &mut Tenant, code: &str, value: &Json) -> Result<Option<u64>, String> {
    let mut found = Ok(None);
    request(tenant, RECORDS, |batch| {
        found = batch.find("updateKey", code, value);
        Ok(())
    })
    .unwrap();
    found.map_err(|error| error.errors[0].0.clone())
}
