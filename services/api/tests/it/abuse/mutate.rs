//! Bytes and values made wrong, a little or a lot.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// What `strategy` gives next; the same every time the test runs.
pub(super) fn next<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).expect("these strategies refuse nothing").current()
}

/// One thing done to bytes.
#[derive(Debug, Clone)]
pub(super) enum Damage {
    Cut(Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Double(Index, usize),
}

/// Up to four things done to bytes.
pub(super) fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let fragment = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..8),
        prop::sample::select(
            vec![
                "\"",
                "{",
                "}",
                "[[[[",
                "\\ud800",
                "\\u0000",
                "\u{0}",
                "1e999",
                "-0",
                "null",
                "\r\n",
                "\r\n\r\n",
                "--",
                "\u{202e}",
                "9".repeat(400).as_str(),
                "[".repeat(300).as_str(),
                "{\"a\":".repeat(300).as_str(),
            ]
            .into_iter()
            .map(|text| text.as_bytes().to_vec())
            .collect::<Vec<_>>()
        ),
    ];
    let damage = prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), any::<u8>()).prop_map(|(at, with)| Damage::Flip(at, with)),
        (any::<Index>(), fragment).prop_map(|(at, what)| Damage::Insert(at, what)),
        (any::<Index>(), 1..64_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        (any::<Index>(), 1..64_usize).prop_map(|(at, count)| Damage::Double(at, count)),
    ];
    prop::collection::vec(damage, 0..4)
}

pub(super) fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            return bytes;
        }
        let length = bytes.len();
        match damage {
            Damage::Cut(at) => bytes.truncate(at.index(length)),
            Damage::Flip(at, with) => bytes[at.index(length)] ^= with,
            Damage::Insert(at, what) => {
                let at = at.index(length);
                bytes.splice(at..at, what.iter().copied());
            }
            Damage::Remove(at, count) => {
                let at = at.index(length);
                bytes.drain(at..length.min(at + count));
            }
            Damage::Double(at, count) => {
                let at = at.index(length);
                let again = bytes[at..length.min(at + count)].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    bytes
}

/// Any JSON, of the kinds that break things.
pub(super) fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        prop::sample::select(vec![
            json!("$inputs.x"),
            json!("$nodes."),
            json!("$$"),
            json!("data:image/png;base64,AAAA"),
            json!({"$value": "0".repeat(64), "bytes": 1}),
            json!({"kind": "image", "blob": "0".repeat(64)}),
            json!("http://user@["),
            json!(u64::MAX),
            json!("a".repeat(5000)),
            json!("\u{0}"),
            json!("{{"),
        ]),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((".{0,12}", inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// `value` with the one of its parts that `at` points at replaced, or given a field more.
pub(super) fn replaced(value: &Value, at: Index, with: &Value) -> Value {
    fn walk(value: &mut Value, left: &mut usize, with: &Value) -> bool {
        if *left == 0 {
            match value {
                Value::Object(fields) if with.is_string() => {
                    drop(fields.insert("extra".to_owned(), with.clone()))
                }
                _ => *value = with.clone(),
            }
            return true;
        }
        *left -= 1;
        match value {
            Value::Array(items) => items.iter_mut().any(|item| walk(item, left, with)),
            Value::Object(fields) => fields.values_mut().any(|field| walk(field, left, with)),
            _ => false,
        }
    }
    let mut changed = value.clone();
    walk(&mut changed, &mut at.index(count(value)), with);
    changed
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}
