//! Image processors against `transformers`, bit for bit: other sizes, filters and switches than the model folders have.

use millrace_inference::{Elements, ImageProcessor};
use millrace_vision::{Frame, VisionError};
use serde_json::{Map, Value, json};

use crate::goldens_folder;

fn noise(width: u32, height: u32) -> Frame {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let pixels = (0..width * height * 3).map(|_| next()).collect();
    Frame::new(width, height, pixels).unwrap()
}

fn fnv1a(floats: &[f32]) -> String {
    let bytes = floats.iter().flat_map(|float| float.to_le_bytes());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

#[test]
fn every_variant_equals_the_reference_to_the_bit() {
    let cases = ["cases.json", "timm.json"].map(|file| {
        let text = std::fs::read_to_string(goldens_folder().join("preprocess").join(file)).unwrap();
        let golden: Value = serde_json::from_str(&text).unwrap();
        golden["cases"].as_array().unwrap().clone()
    });
    assert_eq!(cases[1].len(), 16);
    let cases = cases.concat();
    let differs = |case: &Value| {
        let processor = ImageProcessor::read(case["file"].as_object().unwrap(), 3).unwrap();
        let side = |at: usize| case["size"][at].as_u64().unwrap() as u32;
        let pixels = processor.prepare(&noise(side(0), side(1))).unwrap();
        if json!(pixels.values.shape()) != case["shape"] {
            return Some(format!("{case}: {:?}", pixels.values.shape()));
        }
        let mask = pixels.mask();
        let Elements::I64(mask) = mask.elements() else { panic!("a mask is of whole numbers") };
        let covered = case.get("mask_sum").is_none_or(|sum| *sum == mask.iter().sum::<i64>());
        (fnv1a(pixels.values.data()) != case["fnv1a"] || !covered).then(|| case.to_string())
    };
    let wrong: Vec<String> = cases.iter().filter_map(differs).collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() > 100);
}

/// Classes that scale in floating point: to the half of a grey level that we round by, stretched by their smallest deviation.
#[test]
fn what_is_scaled_in_floating_point_is_equalled_nearly() {
    let path = goldens_folder().join("preprocess/near.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let processor = ImageProcessor::read(case["file"].as_object().unwrap(), 3).unwrap();
        let side = |at: usize| case["size"][at].as_u64().unwrap() as u32;
        let pixels = processor.prepare(&noise(side(0), side(1))).unwrap();
        assert_eq!(json!(pixels.values.shape()), case["shape"], "{case}");
        for sample in case["samples"].as_array().unwrap() {
            let (place, expected) = (sample[0].as_u64().unwrap() as usize, sample[1].as_f64().unwrap());
            let value = f64::from(pixels.values.data()[place]);
            assert!((value - expected).abs() < 1.1 / 255.0 / 0.224, "{}: {sample} is {value}", case["file"]);
        }
    }
}

fn refused(file: Value) -> String {
    let fields: Map<String, Value> = serde_json::from_value(file).unwrap();
    ImageProcessor::read(&fields, 3).unwrap_err()
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    let vit =
        |key: &str, value: Value| refused(json!({"image_processor_type": "ViTImageProcessor", key: value}));
    for (message, names) in [
        (refused(json!({"size": 224})), "image_processor_type"),
        (refused(json!({"image_processor_type": "DonutImageProcessor"})), "DonutImageProcessor"),
        (vit("do_thumbnail", json!(true)), "do_thumbnail"),
        (vit("resample", json!(9)), "resample"),
        (vit("size", json!({"shortest_edge": 224})), "shortest_edge"),
        (vit("size", json!(0)), "size"),
        (vit("size", json!(1_000_000)), "size"),
        (
            refused(json!({"image_processor_type": "MaskFormerImageProcessor", "size_divisor": 1e9})),
            "size_divisor",
        ),
        (vit("image_mean", json!([0.5, 0.5])), "image_mean"),
        (vit("image_std", json!(0.0)), "image_std"),
        (vit("do_resize", json!("yes")), "do_resize"),
        (vit("do_center_crop", json!(true)), "do_center_crop"),
        (vit("data_format", json!("channels_last")), "channels_last"),
        (
            refused(
                json!({"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 64}, "crop_pct": 7}),
            ),
            "crop_pct",
        ),
        (
            refused(json!({"image_processor_type": "EfficientNetImageProcessorFast"})),
            "EfficientNetImageProcessorFast",
        ),
    ] {
        assert!(message.contains(names), "{names}: {message}");
    }
    // The name of the slow class since version 5.
    let slow = json!({"image_processor_type": "CLIPImageProcessorPil"});
    assert!(ImageProcessor::read(slow.as_object().unwrap(), 3).is_ok());
    let fine =
        json!({"image_processor_type": "ViTImageProcessorFast", "do_thumbnail": false, "crop_margin": null});
    assert!(ImageProcessor::read(fine.as_object().unwrap(), 3).is_ok());
}

#[test]
fn grey_models_get_one_plane() {
    let file = json!({"image_processor_type": "ViTImageProcessor", "size": 16, "image_mean": 0.5, "image_std": [0.25]});
    let processor = ImageProcessor::read(file.as_object().unwrap(), 1).unwrap();
    let pixels = processor.prepare(&Frame::filled(30, 20, [255; 3])).unwrap();
    assert_eq!((pixels.values.shape(), pixels.values.data()[0]), (&[1, 1, 16, 16][..], 2.0));
    // Pillow: Image.new("RGB", (1, 1), (255, 0, 0)).convert("L").getpixel((0, 0)) == 76.
    let red = processor.prepare(&Frame::filled(16, 16, [255, 0, 0])).unwrap();
    assert_eq!(red.values.data()[7], ((76.0 / 255.0) as f32 - 0.5) / 0.25);
}

#[test]
fn pictures_of_one_pixel_and_of_none() {
    for class in ["ViT", "CLIP", "ConvNext", "Detr", "Yolos", "Mask2Former", "EfficientNet"] {
        let file = json!({"image_processor_type": format!("{class}ImageProcessor")});
        let processor = ImageProcessor::read(file.as_object().unwrap(), 3).unwrap();
        assert!(processor.prepare(&Frame::filled(1, 1, [7; 3])).is_ok(), "{class}");
        assert!(processor.prepare(&Frame::filled(0, 9, [7; 3])).is_err(), "{class}");
    }
}

/// A few kilobytes that would become gigabytes: a pixel high, and its shorter side leads.
#[test]
fn a_long_thin_picture_is_not_blown_up_without_bounds() {
    let file = |crops: bool| json!({"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 224}, "do_center_crop": crops});
    let of = |crops: bool| ImageProcessor::read(file(crops).as_object().unwrap(), 3).unwrap();
    let thin = Frame::filled(500_000, 1, [7; 3]);
    let refused = of(false).prepare(&thin).unwrap_err();
    assert!(matches!(refused, VisionError::StretchedTooFar { .. }), "{refused}");
    assert!(refused.to_string().contains("1048576 x 224"), "{refused}");
    assert_eq!(of(true).prepare(&thin).unwrap().values.shape(), [1, 3, 224, 224], "a crop of it is small");
}

/// Roundings of `transformers` 4.57.3: `image_processing_convnext_fast.py`, `image_processing_mask2former_fast.py`, and
/// `center_crop` of `image_processing_utils_fast.py`.
#[test]
fn fast_classes_size_and_place_pictures_in_their_own_way() {
    let of = |file: Value| ImageProcessor::read(file.as_object().unwrap(), 3).unwrap();
    let class = |name: &str, fast: &str| format!("{name}ImageProcessor{fast}");
    for (fast, first) in [("", 115.0), ("Fast", 116.0)] {
        let file = json!({"image_processor_type": class("ConvNext", fast), "size": {"shortest_edge": 224}});
        let placement = of(file).prepare(&Frame::filled(1920, 1080, [7; 3])).unwrap().placement;
        // 455 x 256, of which 224 x 224: the margin is 115.5.
        assert!((placement.used[0] - first * 1920.0 / 455.0).abs() < 1e-9, "{fast}: {placement:?}");
    }
    for (fast, size) in [("", (1344, 352)), ("Fast", (1344, 384))] {
        let file = json!({"image_processor_type": class("Mask2Former", fast)});
        assert_eq!(of(file).scaled_size((2469, 653)), size, "{fast}");
    }
    let within = json!({"image_processor_type": class("MaskFormer", "Fast"), "size": {"max_height": 90, "max_width": 140}});
    assert_eq!(of(within).scaled_size((280, 100)), (160, 64));
    for (fast, offset) in [("", (12, 12)), ("Fast", (11, 11))] {
        let file = json!({"image_processor_type": class("CLIP", fast), "size": {"shortest_edge": 41}, "crop_size": 64});
        let placement = of(file).prepare(&Frame::filled(50, 50, [7; 3])).unwrap().placement;
        assert_eq!(placement.offset, offset, "{fast}");
    }
}
