use std::path::PathBuf;

use crate::ElementType;

use super::*;

fn goldens() -> PathBuf {
    // Tests run in the folder of their package.
    PathBuf::from("../../tests/goldens")
}

fn ports(names: &[&str], length: Option<usize>) -> Vec<GraphPort> {
    let port = |name: &&str| GraphPort {
        name: (*name).to_owned(),
        element: ElementType::I64,
        shape: vec![None, length],
    };
    names.iter().map(port).collect()
}

const MASKED: &[&str] = &["input_ids", "attention_mask"];

fn open(model: &str, graph: &[GraphPort], facts: TextFacts) -> Texts {
    Texts::open(&model.into(), &goldens().join(model), graph, facts).unwrap()
}

fn siglip() -> Texts {
    let facts = TextFacts { positions: Some(64), pad_token: None, full_length: true };
    open("siglip-tiny", &ports(&["input_ids"], None), facts)
}

/// The ids that `transformers` gives, texts with odd characters, no characters and too many among them.
#[test]
fn ids_are_those_of_the_reference() {
    let written = std::fs::read_to_string(goldens().join("texts.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    let exact = open("clip-tiny", &ports(&["input_ids"], None), TextFacts::default());
    for (texts, model) in [(exact, "clip-tiny"), (siglip(), "siglip-tiny")] {
        let cases = written["cases"][model].as_array().unwrap();
        assert_eq!(cases.len(), 10);
        for case in cases {
            let tokens = texts.encode(case["text"].as_str().unwrap()).unwrap();
            assert_eq!(Value::from(tokens.ids), case["ids"], "{model}: {}", case["text"]);
        }
    }
}

#[test]
fn padding_goes_no_further_than_the_model_needs() {
    let masked = open("clip-tiny", &ports(MASKED, None), TextFacts::default());
    let tokens = masked.encode("a cat").unwrap();
    assert_eq!(tokens.ids, [868, 275, 399, 869, 869, 869, 869, 869]);
    assert_eq!(tokens.mask, [1, 1, 1, 1, 0, 0, 0, 0]);
    // The limit, 77, is no multiple of a bucket.
    assert_eq!(masked.encode(&"word ".repeat(200)).unwrap().ids.len(), 77);
    let fixed = open("clip-tiny", &ports(MASKED, Some(20)), TextFacts::default());
    let (short, long) = (fixed.encode("a cat").unwrap(), fixed.encode(&"word ".repeat(200)).unwrap());
    assert_eq!((short.ids.len(), short.mask.iter().sum::<i64>(), long.ids.len()), (20, 4, 20));
    assert_eq!(long.ids[19], 869, "a text that is cut off still ends as it should");
    let few = TextFacts { positions: Some(10), ..TextFacts::default() };
    let few = open("clip-tiny", &ports(&["input_ids"], None), few);
    assert_eq!(few.encode(&"word ".repeat(200)).unwrap().ids.len(), 10);
}

#[test]
fn tensors_are_made_for_the_inputs_a_graph_may_have() {
    let tokens = open("clip-tiny", &ports(MASKED, None), TextFacts::default()).encode("a cat").unwrap();
    for name in ["input_ids", "attention_mask", "token_type_ids", "position_ids"] {
        assert_eq!(tokens.tensor(name).unwrap().shape(), [1, 8], "{name}");
    }
    assert_eq!(tokens.tensor("pixel_values"), None);
}

#[test]
fn a_text_beyond_the_bound_is_refused() {
    let error = siglip().encode(&"é".repeat(MOST_TEXT_BYTES / 2 + 1)).unwrap_err();
    assert!(matches!(&error, InferenceError::Input { .. }), "{error}");
    assert_eq!(siglip().encode(&"é".repeat(MOST_TEXT_BYTES / 2)).unwrap().ids.len(), 64);
}

#[test]
fn tokenizers_that_are_missing_or_broken_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        Texts::open(&"m".into(), folder.path(), &ports(MASKED, None), TextFacts::default())
            .map(|texts| texts.pad_token)
            .map_err(|error| error.to_string())
    };
    assert!(open().unwrap_err().contains("tokenizer.json is missing"));
    for text in ["", "{}", "not json", r#"{"version": "1.0", "model": {"type": "Magic"}}"#] {
        std::fs::write(folder.path().join("tokenizer.json"), text).unwrap();
        assert!(open().unwrap_err().contains("tokenizer.json cannot be read"), "{text}");
    }
    std::fs::copy(goldens().join("clip-tiny/tokenizer.json"), folder.path().join("tokenizer.json")).unwrap();
    assert_eq!(open().unwrap(), 0, "nothing names a token that pads");
    std::fs::write(folder.path().join("tokenizer_config.json"), "{").unwrap();
    assert!(open().unwrap_err().contains("tokenizer_config.json"));
    let settings =
        r#"{"pad_token": {"content": "<|endoftext|>"}, "model_max_length": 1000000000000000019884624838656}"#;
    std::fs::write(folder.path().join("tokenizer_config.json"), settings).unwrap();
    assert_eq!(open().unwrap(), 869);
}
