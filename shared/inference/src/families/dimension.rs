//! How many numbers a model's vectors have, before there is one: its graph says so of the output, else `config.json` does. Rule:
//! none rather than a guess.

use serde_json::{Map, Value};

use super::vision_encoder::PATCHES;
use crate::GraphPort;

/// Of the vectors that are made of this output. `config` is the model's, `tower` what it says of the graph.
pub(super) fn dimension_of(
    output: &GraphPort,
    config: &Map<String, Value>,
    tower: &Map<String, Value>,
) -> Option<u32> {
    let declared = declared(output).and_then(|numbers| u32::try_from(numbers).ok());
    declared.or_else(|| configured(&output.name, config, tower)).filter(|numbers| *numbers > 0)
}

/// What the graph says: the width of its tokens or of its map, else everything in the output of one row.
fn declared(output: &GraphPort) -> Option<usize> {
    match (output.name.as_str(), output.shape.as_slice()) {
        (PATCHES, [_, _, width] | [_, width, _, _]) => *width,
        (PATCHES, _) | (_, [] | [_]) => None,
        (_, [_, row @ ..]) => row.iter().try_fold(1usize, |numbers, extent| numbers.checked_mul((*extent)?)),
    }
}

/// What the configuration says of an output that is called so.
fn configured(output: &str, config: &Map<String, Value>, tower: &Map<String, Value>) -> Option<u32> {
    let number = |from: &Map<String, Value>, name: &str| {
        from.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok())
    };
    match output {
        "image_embeds" | "text_embeds" => number(config, "projection_dim"),
        // The text tower of SigLIP puts what it pools through a layer of its own (`projection_size`).
        "pooler_output" => ["pooler_output_size", "projection_size", "hidden_size"]
            .into_iter()
            .find_map(|name| number(tower, name)),
        PATCHES => number(tower, "hidden_size"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ElementType;

    fn dimension(name: &str, shape: &[Option<usize>], config: &Value) -> Option<u32> {
        let output = GraphPort { name: name.to_owned(), element: ElementType::F32, shape: shape.to_vec() };
        let config = config.as_object().unwrap();
        dimension_of(&output, config, config)
    }

    #[test]
    fn what_a_text_tower_pools_may_be_wider_than_its_tokens() {
        let config = json!({"hidden_size": 1152, "projection_size": 1536});
        assert_eq!(dimension("pooler_output", &[None, None], &config), Some(1536));
        assert_eq!(dimension("last_hidden_state", &[None, None, None], &config), Some(1152));
    }

    #[test]
    fn the_graph_has_the_say_and_then_the_configuration() {
        let config = json!({"projection_dim": 512, "hidden_size": 768});
        for (name, shape, expected) in [
            ("image_embeds", &[None, Some(640)][..], Some(640)),
            ("image_embeds", &[None, None], Some(512)),
            ("pooler_output", &[None, Some(64), Some(1), Some(1)], Some(64)),
            ("pooler_output", &[None, Some(64), None, None], Some(768)),
            ("last_hidden_state", &[None, None, Some(384)], Some(384)),
            ("last_hidden_state", &[None, Some(96), Some(7), Some(7)], Some(96)),
            ("last_hidden_state", &[None, None, None], Some(768)),
            ("sentence_embedding", &[Some(1), Some(384)], Some(384)),
            ("sentence_embedding", &[None, None], None),
            ("image_embeds", &[None, Some(0)], None),
        ] {
            assert_eq!(dimension(name, shape, &config), expected, "{name} {shape:?}");
        }
        let own = json!({"hidden_size": 768, "pooler_output_size": 256});
        assert_eq!(dimension("pooler_output", &[], &own), Some(256));
        assert_eq!(dimension("pooler_output", &[None, Some(1 << 20), Some(1 << 20)], &json!({})), None);
        assert_eq!(dimension("last_hidden_state", &[None, None, None], &json!({"hidden_sizes": [8]})), None);
    }
}
