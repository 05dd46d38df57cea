//! The image processor that a timm configuration stands for: its model folders have no file of their own for it, and
//! `transformers` reads it out of `config.json` as well (`TimmWrapperImageProcessor`). Written down as the keys of a
//! `preprocessor_config.json` (`resolve_data_config` and `transforms_imagenet_eval` of timm 1.0).

use serde_json::{Map, Value, json};

/// What is scaled to is the crop divided by this, where the configuration does not say.
const CROP_SHARE: f64 = 0.875;
/// Names of filters, in the order of Pillow's numbers.
const FILTERS: [&str; 6] = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"];

/// What a `config.json` says of its pictures if it is one of timm: in a table of its own, as on the hub, or beside the
/// rest, as Optimum writes it.
pub(crate) fn timm_data(config: &Map<String, Value>) -> Option<&Map<String, Value>> {
    config.get("architecture").and_then(Value::as_str)?;
    match config.get("pretrained_cfg") {
        Some(table) => table.as_object(),
        None => config.contains_key("input_size").then_some(config),
    }
}

/// The image processor of a `config.json` of timm; none where it is another's. What is not done is left under its own name,
/// and refused by it.
pub(crate) fn timm_processor(config: &Map<String, Value>) -> Option<Map<String, Value>> {
    let data = timm_data(config)?;
    let said = |key: &str| data.get(key).filter(|value| !value.is_null());
    let mut fields = Map::new();
    fields.insert("image_processor_type".to_owned(), "TimmWrapperImageProcessor".into());
    let mut keep =
        |name: &str, value: Option<Value>| value.map(|value| fields.insert(name.to_owned(), value));
    keep("image_mean", said("mean").cloned());
    keep("image_std", said("std").cloned());
    let filter = |name: &Value| FILTERS.iter().position(|filter| name == filter);
    match said("interpolation").map(|name| filter(name).ok_or(name)) {
        None => {}
        Some(Ok(code)) => drop(keep("resample", Some(code.into()))),
        Some(Err(name)) => drop(keep("interpolation", Some(name.clone()))),
    }
    let side = |at: usize| said("input_size").map_or(Some(224), |sides| sides.get(at)?.as_u64());
    let share = said("crop_pct").and_then(Value::as_f64).filter(|share| *share > 0.0).unwrap_or(CROP_SHARE);
    let scaled = |side: u64| (side as f64 / share).floor() as u64;
    let mode = said("crop_mode").and_then(Value::as_str).unwrap_or("center");
    match (mode, side(1), side(2)) {
        ("center", Some(height), Some(width)) if height == width => {
            keep("size", Some(json!({"shortest_edge": scaled(height)})))
        }
        ("squash", Some(height), Some(width)) => {
            keep("size", Some(json!({"height": scaled(height), "width": scaled(width)})))
        }
        ("center", ..) => keep("input_size", said("input_size").cloned()),
        (other, ..) => keep("crop_mode", Some(other.into())),
    };
    let crop = side(1).zip(side(2));
    keep("crop_size", crop.map(|(height, width)| json!({"height": height, "width": width})));
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(config: &Value) -> Option<Value> {
        timm_processor(config.as_object().unwrap()).map(Value::Object)
    }

    #[test]
    fn both_forms_of_a_configuration_say_the_same() {
        let data = json!({"input_size": [3, 176, 176], "interpolation": "bicubic", "crop_pct": 0.95, "crop_mode": "center", "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2], "test_input_size": [3, 224, 224]});
        let expected = json!({
            "image_processor_type": "TimmWrapperImageProcessor", "size": {"shortest_edge": 185}, "resample": 3,
            "crop_size": {"height": 176, "width": 176}, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.2]
        });
        assert_eq!(
            read(&json!({"architecture": "resnet10t", "pretrained_cfg": data})),
            Some(expected.clone())
        );
        let mut flat = data;
        flat["architecture"] = "resnet10t".into();
        assert_eq!(read(&flat), Some(expected));
        assert_eq!(read(&json!({"architectures": ["ViTForImageClassification"]})), None);
        assert_eq!(read(&json!({"architecture": "somebody's own"})), None);
    }

    #[test]
    fn what_is_not_done_keeps_its_name() {
        for (key, value) in [
            ("crop_mode", json!("border")),
            ("interpolation", json!("random")),
            ("input_size", json!([3, 64, 96])),
        ] {
            let fields = read(&json!({"architecture": "a", "pretrained_cfg": {key: value}})).unwrap();
            assert_eq!(fields[key], value);
            let refused = super::super::ImageProcessor::read(fields.as_object().unwrap(), 3).unwrap_err();
            assert!(refused.contains(key), "{refused}");
        }
    }
}
