//! Parser and printer against each other, on chosen and on random queries.

use proptest::prelude::*;

use super::parser::parse;
use super::syntax::{
    Argument, Call, Comparison, Condition, Direction, FieldName, Literal, Operator, OrderKey, Query,
};

/// Each query with the canonical text of its tree.
#[test]
fn prints_what_it_parsed() {
    let cases = [
        ("", ""),
        ("limit 5", "limit 5"),
        ("LIMIT 5 OFFSET 0", "limit 5 offset 0"),
        ("a=1 or b=2 and c=3", "a = 1 or b = 2 and c = 3"),
        ("(a=1 or b=2) and c=3", "(a = 1 or b = 2) and c = 3"),
        ("((a = 1))", "a = 1"),
        ("a = 1 and (b = 2 and c = 3)", "a = 1 and (b = 2 and c = 3)"),
        ("a In(\"x\",1 , LOGINUSER())", "a in (\"x\", 1, LOGINUSER())"),
        ("a not  in (\"\")", "a not in (\"\")"),
        ("a is  empty and b IS NOT EMPTY", "a is empty and b is not empty"),
        ("a not like \"x\"", "a not like \"x\""),
        ("rel.code >= FROM_TODAY(-3,\"DAYS\")", "rel.code >= FROM_TODAY(-3, \"DAYS\")"),
        ("d = THIS_MONTH(LAST) order by d,n desc", "d = THIS_MONTH(LAST) order by d asc, n desc"),
        ("$id > 1 order by $id asc limit 500", "$id > 1 order by $id asc limit 500"),
        ("limit = 1 and order = 2 limit 3", "limit = 1 and order = 2 limit 3"),
        ("and = 1 and or in (1)", "and = 1 and or in (1)"),
    ];
    for (text, canonical) in cases {
        assert_eq!(parse(text).unwrap().to_string(), canonical, "{text}");
    }
}

#[test]
fn refuses_what_the_grammar_does_not_have() {
    let cases = [
        "a",
        "a =",
        "= 1",
        "a = b",
        "a = (1)",
        "a in 1",
        "a in ()",
        "a in (1",
        "a in (1,)",
        "(a = 1",
        "a = 1)",
        "a = 1 and",
        "a = 1 b = 2",
        "not a = 1",
        "a is null",
        "a not = 1",
        "order by",
        "order a",
        "limit",
        "limit -1",
        "limit 1.5",
        "limit \"5\"",
        "offset -1",
        "offset 1 limit 2",
        "a = 1 order by b limit 1 limit 2",
        "order by a asc desc",
        "a = NOW(",
        "a = NOW(()",
        "a.b.c = 1",
        "a == 1",
    ];
    for text in cases {
        assert_eq!(parse(text).map_err(|error| error.code), Err("CB_VA01"), "{text}");
    }
}

#[test]
fn nesting_is_bounded_and_long_chains_are_not() {
    let nested = |depth: usize| format!("{}a = 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(64)).is_ok());
    assert_eq!(parse(&nested(65)).unwrap_err().code, "CB_VA01");
    assert_eq!(parse(&nested(200_000)).unwrap_err().code, "CB_VA01");
    let chain = vec!["(a = 1 or b = 2)"; 20_000].join(" and ");
    assert!(parse(&chain).is_ok());
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z_$][a-zA-Z0-9_]{0,6}",
        "[ぁ-ん一-龠][ぁ-んー・0-9]{0,5}",
        "(and|or|in|not|is|like|limit|order|by|asc|desc|empty|offset)"
    ]
}

fn number() -> impl Strategy<Value = String> {
    "-?[0-9]{1,6}(\\.[0-9]{1,4})?(e-?[0-9]{1,2})?"
}

fn literal() -> impl Strategy<Value = Literal> {
    let argument = prop_oneof![
        word().prop_map(Argument::Word),
        number().prop_map(Argument::Number),
        text().prop_map(Argument::Text)
    ];
    let call = (word(), prop::collection::vec(argument, 0..3))
        .prop_map(|(name, arguments)| Literal::Call(Call { name, arguments }));
    prop_oneof![number().prop_map(Literal::Number), text().prop_map(Literal::Text), call]
}

fn text() -> impl Strategy<Value = String> {
    "([^\\p{Cc}]|[\\n\\r\\t]){0,8}"
}

fn comparison() -> impl Strategy<Value = Condition> {
    (prop::option::of(word()), word(), prop::sample::select(Operator::ALL.to_vec())).prop_flat_map(
        |(related, code, operator)| {
            let count = match operator {
                Operator::IsEmpty | Operator::IsNotEmpty => 0..=0,
                Operator::In | Operator::NotIn => 1..=3,
                _ => 1..=1,
            };
            prop::collection::vec(literal(), count).prop_map(move |values| {
                let field = FieldName { related: related.clone(), code: code.clone() };
                Condition::Compare(Comparison { field, operator, values })
            })
        },
    )
}

fn query() -> impl Strategy<Value = Query> {
    let condition = comparison().prop_recursive(4, 24, 4, |inner| {
        let parts = prop::collection::vec(inner, 2..4);
        prop_oneof![parts.clone().prop_map(Condition::And), parts.prop_map(Condition::Or)]
    });
    let key = (word(), any::<bool>()).prop_map(|(code, ascending)| OrderKey {
        code,
        direction: if ascending { Direction::Ascending } else { Direction::Descending },
    });
    let count = || prop::option::of(any::<u64>());
    (prop::option::of(condition), prop::collection::vec(key, 0..3), count(), count())
        .prop_map(|(condition, order, limit, offset)| Query { condition, order, limit, offset })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printing_and_parsing_gives_the_same_tree(query in query()) {
        prop_assert_eq!(parse(&query.to_string()), Ok(query.clone()), "{}", query);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn any_run_of_tokens_is_parsed_or_refused(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "a", "$id", "and", "or", "not", "in", "like", "is", "empty", "(", ")", ",", ".", "=", "!=", "<", ">=",
            "1", "-2.5", "\"x\"", "NOW", "order", "by", "asc", "desc", "limit", "offset", "\u{3000}",
        ]), 0..30),
    ) {
        let text = tokens.join(" ");
        if let Ok(query) = parse(&text) {
            prop_assert_eq!(parse(&query.to_string()), Ok(query));
        }
    }
}
