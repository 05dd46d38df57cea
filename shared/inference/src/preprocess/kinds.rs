//! The image processor classes that are known: their defaults, and the ways in which they read the same keys differently.

use millrace_vision::Resample;
use serde_json::{Value, json};

/// How a class comes from `size` to a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SizeStyle {
    /// `height` and `width`; a bare number is a square.
    Exact,
    /// `shortest_edge`, or `height` and `width`; a bare number is the shortest edge.
    Shortest,
    /// As `Shortest`, times 256 / 224.
    Levit,
    /// ConvNeXT: `shortest_edge`; below 384 scaled by `crop_pct` and cropped, a square from there on.
    ConvNext,
    /// DETR: `shortest_edge` with `longest_edge`, `max_height` with `max_width`, or `height` with `width`.
    Detr,
    /// As DETR's, both sides rounded down to a multiple of 16.
    Yolos,
    /// Mask2Former: `shortest_edge` with `longest_edge`, both sides rounded up to a multiple of `size_divisor`.
    Divisible,
}

/// A class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// Without `ImageProcessor`, `ImageProcessorFast`, `ImageProcessorPil` or `FeatureExtractor`.
    pub(super) name: &'static str,
    pub(super) style: SizeStyle,
    size: fn() -> Value,
    /// Side of the centre crop where the class crops by default.
    pub(super) crop: Option<u32>,
    /// Whether it knows the centre crop at all.
    pub(super) can_crop: bool,
    pub(super) resample: Resample,
    pub(super) mean: [f32; 3],
    pub(super) std: [f32; 3],
    pub(super) normalise: bool,
    pub(super) pads: bool,
    /// Whether what lies between is smoothed away when a picture is made smaller. As all do, but for RF-DETR's.
    pub(super) smooths: bool,
}

impl Kind {
    /// `size` where the file has none.
    pub(super) fn default_size(&self) -> Value {
        (self.size)()
    }
}

const STANDARD: [f32; 3] = [0.5; 3];
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];
const CLIP_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const CLIP_STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// A classifier's class with nothing special about it.
const PLAIN: Kind = Kind {
    name: "ViT",
    style: SizeStyle::Exact,
    size: || json!({"height": 224, "width": 224}),
    crop: None,
    can_crop: false,
    resample: Resample::Bilinear,
    mean: STANDARD,
    std: STANDARD,
    normalise: true,
    pads: false,
    smooths: true,
};

const CLIP: Kind = Kind {
    name: "CLIP",
    style: SizeStyle::Shortest,
    size: || json!({"shortest_edge": 224}),
    crop: Some(224),
    can_crop: true,
    resample: Resample::Bicubic,
    mean: CLIP_MEAN,
    std: CLIP_STD,
    ..PLAIN
};

const DEIT: Kind = Kind {
    name: "DeiT",
    size: || json!({"height": 256, "width": 256}),
    crop: Some(224),
    can_crop: true,
    resample: Resample::Bicubic,
    ..PLAIN
};

const DETR: Kind = Kind {
    name: "Detr",
    style: SizeStyle::Detr,
    size: || json!({"shortest_edge": 800, "longest_edge": 1333}),
    mean: IMAGENET_MEAN,
    std: IMAGENET_STD,
    pads: true,
    ..PLAIN
};

const MASK_FORMER: Kind = Kind { name: "MaskFormer", style: SizeStyle::Divisible, ..DETR };

const KINDS: &[Kind] = &[
    PLAIN,
    Kind { name: "Siglip", resample: Resample::Bicubic, ..PLAIN },
    Kind {
        name: "Blip",
        size: || json!({"height": 384, "width": 384}),
        mean: CLIP_MEAN,
        std: CLIP_STD,
        resample: Resample::Bicubic,
        ..PLAIN
    },
    Kind {
        name: "Segformer",
        size: || json!({"height": 512, "width": 512}),
        mean: IMAGENET_MEAN,
        std: IMAGENET_STD,
        ..PLAIN
    },
    Kind { name: "DINOv3ViT", mean: IMAGENET_MEAN, std: IMAGENET_STD, ..PLAIN },
    Kind { name: "Pvt", mean: IMAGENET_MEAN, std: IMAGENET_STD, ..PLAIN },
    DEIT,
    Kind { name: "Beit", ..DEIT },
    Kind {
        name: "EfficientNet",
        size: || json!({"height": 346, "width": 346}),
        can_crop: true,
        resample: Resample::Nearest,
        ..PLAIN
    },
    CLIP,
    Kind { name: "ChineseCLIP", ..CLIP },
    // What `timm.rs` writes.
    Kind { name: "TimmWrapper", mean: IMAGENET_MEAN, std: IMAGENET_STD, ..CLIP },
    Kind { name: "Bit", ..CLIP },
    Kind { name: "Levit", style: SizeStyle::Levit, mean: IMAGENET_MEAN, std: IMAGENET_STD, ..CLIP },
    Kind {
        name: "MobileNetV1",
        size: || json!({"shortest_edge": 256}),
        resample: Resample::Bilinear,
        mean: STANDARD,
        std: STANDARD,
        ..CLIP
    },
    Kind {
        name: "MobileNetV2",
        size: || json!({"shortest_edge": 256}),
        resample: Resample::Bilinear,
        mean: STANDARD,
        std: STANDARD,
        ..CLIP
    },
    Kind { name: "MobileViT", crop: Some(256), resample: Resample::Bilinear, normalise: false, ..CLIP },
    Kind { name: "ConvNext", style: SizeStyle::ConvNext, size: || json!({"shortest_edge": 384}), ..PLAIN },
    DETR,
    Kind { name: "ConditionalDetr", ..DETR },
    Kind { name: "DeformableDetr", ..DETR },
    Kind { name: "RfDetr", smooths: false, ..DETR },
    Kind { name: "Yolos", style: SizeStyle::Yolos, ..DETR },
    Kind {
        name: "RTDetr",
        size: || json!({"height": 640, "width": 640}),
        normalise: false,
        pads: false,
        ..DETR
    },
    MASK_FORMER,
    Kind { name: "Mask2Former", ..MASK_FORMER },
];

/// The class by one of its names, and whether that is the name of its fast form.
pub(super) fn find(class: &str) -> Option<(&'static Kind, bool)> {
    let (name, fast) = match class.strip_suffix("ImageProcessorFast") {
        Some(name) => (name, true),
        None => {
            // The slow one has a name of its own since version 5.
            let slow = ["ImageProcessor", "ImageProcessorPil", "FeatureExtractor"];
            (slow.iter().find_map(|suffix| class.strip_suffix(suffix))?, false)
        }
    };
    KINDS.iter().find(|kind| kind.name == name).map(|kind| (kind, fast))
}

/// The names of all classes, for messages.
pub(super) fn names() -> String {
    KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ")
}
