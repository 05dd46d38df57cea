//! The keys of a `preprocessor_config.json`: read by name and type, and refused by name where they ask for something
//! that is not done. A key that is null or false asks for nothing.

use serde_json::{Map, Value};

use super::kinds::{Kind, SizeStyle, find, names};
use super::sizes::SizeRule;

/// Keys that change no pixel of a single picture.
const WITHOUT_EFFECT: &[&str] = &[
    "processor_class",
    "image_processor_type",
    "feature_extractor_type",
    "do_convert_rgb",
    "do_convert_annotations",
    "format",
    "do_reduce_labels",
    "reduce_labels",
    "ignore_index",
    "num_labels",
    "_valid_processor_keys",
    "return_tensors",
    "device",
    "disable_grouping",
    "default_to_square",
    "image_seq_length",
    // What `max_size` was, as Mask2Former's class wrote it out for a while; `size` has it as its longest edge.
    "_max_size",
    // What `size_divisor` was called once: the reference passes the old name over, and takes 32.
    "size_divisibility",
];
/// Keys that are read.
const READ: &[&str] = &[
    "size",
    "max_size",
    "crop_pct",
    "size_divisor",
    "resample",
    "crop_size",
    "do_resize",
    "do_center_crop",
    "do_rescale",
    "rescale_factor",
    "rescale_offset",
    "do_normalize",
    "image_mean",
    "image_std",
    "include_top",
    "do_flip_channel_order",
    "do_pad",
    "pad_and_return_pixel_mask",
    "pad_size",
    "data_format",
];

/// Sides are made a multiple of so many pixels at most.
const MOST_DIVISOR: u32 = 4096;
/// What is wrong with a file whose class nothing tells.
const NAMELESS: &str = "it has neither image_processor_type nor feature_extractor_type, and the model_type of config.json tells \
                        none; write image_processor_type into the [preprocess] table of its millrace.toml";

/// The file, with the class it names.
pub(super) struct Settings<'a> {
    pub(super) kind: &'static Kind,
    pub(super) fast: bool,
    fields: &'a Map<String, Value>,
}

impl<'a> Settings<'a> {
    /// Checks the class and every key. The error says what is wrong.
    pub(super) fn new(fields: &'a Map<String, Value>) -> Result<Self, String> {
        let named = |key: &str| fields.get(key).and_then(Value::as_str);
        let class = named("image_processor_type").or_else(|| named("feature_extractor_type"));
        let class = class.ok_or(NAMELESS)?;
        let (kind, fast) = find(class)
            .ok_or_else(|| format!("the image processor {class} is not known; known are {}", names()))?;
        for (key, value) in fields {
            let asks = !matches!(value, Value::Null | Value::Bool(false));
            if asks && !WITHOUT_EFFECT.contains(&key.as_str()) && !READ.contains(&key.as_str()) {
                return Err(format!("its key {key:?} ({value}) is not known, and may change the pixels"));
            }
        }
        let settings = Self { kind, fast, fields };
        if let Some(format) = settings.value("data_format").filter(|format| *format != "channels_first") {
            return Err(format!("its data_format {format} is not channels_first"));
        }
        Ok(settings)
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, String> {
        let odd = |value: &Value| format!("its {key} is {value}, neither true nor false");
        self.value(key).map_or(Ok(default), |value| value.as_bool().ok_or_else(|| odd(value)))
    }

    pub(super) fn number(&self, key: &str, default: f64) -> Result<f64, String> {
        let odd = |value: &Value| format!("its {key} is {value}, not a number");
        self.value(key).map_or(Ok(default), |value| value.as_f64().ok_or_else(|| odd(value)))
    }

    /// One number per plane: a list, or one number for all.
    pub(super) fn per_plane(&self, key: &str, default: [f32; 3], planes: usize) -> Result<Vec<f32>, String> {
        let odd = |value: &Value| format!("its {key} is {value}, not a number or a list of {planes}");
        match self.value(key) {
            None => Ok(default[..planes].to_vec()),
            Some(Value::Array(list)) if list.len() == planes => list
                .iter()
                .map(|number| number.as_f64().map(|number| number as f32))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| odd(&self.fields[key])),
            Some(value) => value.as_f64().map(|one| vec![one as f32; planes]).ok_or_else(|| odd(value)),
        }
    }

    /// A number of pixels.
    fn side(&self, key: &str, value: &Value) -> Result<u32, String> {
        let side = value.as_u64().and_then(|side| u32::try_from(side).ok());
        side.filter(|side| (1..=16_384).contains(side))
            .ok_or_else(|| format!("its {key} has {value} where a number of pixels is wanted"))
    }

    /// A width and a height: `{height, width}`, `[height, width]`, or one number for both.
    pub(super) fn pair(&self, key: &str) -> Result<Option<(u32, u32)>, String> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let odd = || format!("its {key} {value} is neither a height and width nor a number");
        let (height, width) = match value {
            Value::Object(fields) => {
                let [Some(height), Some(width)] = ["height", "width"].map(|side| fields.get(side)) else {
                    return Err(odd());
                };
                (height, width)
            }
            Value::Array(sides) => match sides.as_slice() {
                [height, width] => (height, width),
                _ => return Err(odd()),
            },
            side => (side, side),
        };
        Ok(Some((self.side(key, width)?, self.side(key, height)?)))
    }

    /// The rule that `size` stands for with this class.
    pub(super) fn size_rule(&self) -> Result<SizeRule, String> {
        let style = self.kind.style;
        let default = self.kind.default_size();
        let size = self.value("size").unwrap_or(&default);
        let most = match self.value("max_size") {
            Some(most) => Some(self.side("max_size", most)?),
            None => {
                matches!(style, SizeStyle::Detr | SizeStyle::Yolos | SizeStyle::Divisible).then_some(1333)
            }
        };
        let given = |key: &str| {
            let side = size.get(key).filter(|side| !side.is_null());
            side.map(|side| self.side("size", side)).transpose()
        };
        let odd = || format!("its size {size} does not suit {}ImageProcessor", self.kind.name);
        if let (Some(height), Some(width)) = (given("height")?, given("width")?) {
            let suits = style != SizeStyle::ConvNext;
            return suits.then_some(SizeRule::Exact { width, height }).ok_or_else(odd);
        }
        if let Value::Array(sides) = size {
            let [height, width] = sides.as_slice() else { return Err(odd()) };
            return Ok(SizeRule::Exact {
                width: self.side("size", width)?,
                height: self.side("size", height)?,
            });
        }
        let whole = size.is_number().then(|| self.side("size", size)).transpose()?;
        // The fast classes of Mask2Former size a picture as DETR's do.
        let style = if self.fast && style == SizeStyle::Divisible { SizeStyle::Detr } else { style };
        if let (SizeStyle::Detr | SizeStyle::Yolos, Some(height), Some(width)) =
            (style, given("max_height")?, given("max_width")?)
        {
            return Ok(SizeRule::Within { width, height });
        }
        let longest = given("longest_edge")?.or_else(|| whole.and(most));
        let edge = given("shortest_edge")?.or(whole);
        match (style, edge, longest) {
            (SizeStyle::Exact, Some(side), _) if whole.is_some() => {
                Ok(SizeRule::Exact { width: side, height: side })
            }
            (SizeStyle::Shortest, Some(edge), _) => Ok(SizeRule::Shortest { edge, most: None }),
            (SizeStyle::Levit, Some(edge), _) => {
                let edge = (256.0 / 224.0 * f64::from(edge)) as u32;
                Ok(SizeRule::Shortest { edge, most: None })
            }
            (SizeStyle::ConvNext, Some(edge), _) if edge >= 384 => {
                Ok(SizeRule::Exact { width: edge, height: edge })
            }
            (SizeStyle::ConvNext, Some(edge), _) => {
                let share = self.number("crop_pct", 224.0 / 256.0)?;
                let scaled = f64::from(edge) / share;
                let suits = (f64::from(edge)..=16_384.0).contains(&scaled);
                let rule = SizeRule::Shortest { edge: scaled as u32, most: None };
                suits.then_some(rule).ok_or_else(|| format!("its crop_pct {share} is not between 0 and 1"))
            }
            (SizeStyle::Detr, Some(edge), Some(most)) => Ok(SizeRule::Detr { edge, most }),
            (SizeStyle::Yolos, Some(edge), Some(most)) => Ok(SizeRule::Yolos { edge, most }),
            (SizeStyle::Divisible, Some(edge), most) => Ok(SizeRule::Shortest { edge, most }),
            _ => Err(odd()),
        }
    }

    /// What both sides are a multiple of; none where it is 0.
    pub(super) fn divisor(&self) -> Result<Option<u32>, String> {
        let divisor = self.number("size_divisor", 32.0)?;
        if !(0.0..=f64::from(MOST_DIVISOR)).contains(&divisor) {
            return Err(format!(
                "its size_divisor is {divisor}, not a number of pixels up to {MOST_DIVISOR}"
            ));
        }
        Ok((divisor >= 1.0).then_some(divisor as u32))
    }

    /// The side of the centre crop that ConvNeXT's rule ends with, below 384.
    pub(super) fn convnext_crop(&self) -> Result<Option<(u32, u32)>, String> {
        if self.kind.style != SizeStyle::ConvNext {
            return Ok(None);
        }
        let default = self.kind.default_size();
        let size = self.value("size").unwrap_or(&default);
        let edge = self.side("size", size.get("shortest_edge").unwrap_or(size))?;
        Ok((edge < 384).then_some((edge, edge)))
    }
}
