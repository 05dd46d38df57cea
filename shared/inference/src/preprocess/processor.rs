//! An image processor, made for one model: scale, crop, rescale, normalise, pad.

use std::sync::Arc;

use millrace_vision::{
    Around, Canvas, Filter, Frame, Levels, PixelBox, Placement, Resample, Sketch, VisionError, resize,
};
use serde_json::{Map, Value};

use super::kinds::SizeStyle;
use super::settings::Settings;
use super::sizes::SizeRule;
use crate::Tensor;

/// Pixels that a picture may become. A long and thin one of few pixels becomes many more where its shorter side leads.
const MOST_PIXELS: u64 = 1 << 26;

/// What a `preprocessor_config.json` asks for.
///
/// The reference's slow classes are followed. Their fast forms (`…Fast`, on torchvision) scale with other roundings: one
/// or two grey levels apart; where they size or place a picture otherwise that is done as they do it, and where they would
/// differ by more (nearest neighbour) they are refused.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageProcessor {
    size: Option<SizeRule>,
    multiple_of: Option<u32>,
    resample: Resample,
    smooths: bool,
    crop: Option<(u32, u32)>,
    centring: Centring,
    levels: Arc<Levels>,
    pad: Option<Padding>,
}

/// Where a crop is, or a picture that is smaller than it, when the middle falls between two pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Centring {
    /// `center_crop` of `image_transforms.py`: a crop before the middle, a small picture after it.
    Slow,
    /// That of the fast classes: both before.
    Fast,
    /// torchvision's own, with which ConvNeXT's fast class and timm's end: to the even pixel.
    Torchvision,
}

/// Zeros to the right and below, after normalising.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Padding {
    to: Option<(u32, u32)>,
}

/// A picture as a model takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    /// `[1, planes, height, width]`.
    pub values: Tensor,
    /// Where the picture landed.
    pub placement: Placement,
    canvas: Canvas,
}

impl Pixels {
    /// `[1, height, width]`: 1 where the picture is, 0 where it is padded. Made when it is asked for: few graphs take it, and it is
    /// as large as the picture.
    #[must_use]
    pub fn mask(&self) -> Tensor {
        self.mask_of([None; 2])
    }

    /// The same in another height and width where they are given, each pixel that of the nearest.
    #[must_use]
    pub fn mask_of(&self, [height, width]: [Option<usize>; 2]) -> Tensor {
        let (canvas, window) = (&self.canvas, self.canvas.window);
        let down = shown((canvas.offset.1, window.height), canvas.size.1, height);
        let across = shown((canvas.offset.0, window.width), canvas.size.0, width);
        let ones = down.iter().flat_map(|row| across.iter().map(move |column| i64::from(*row && *column)));
        let ones: Vec<i64> = ones.collect();
        Tensor::of(vec![1, down.len(), across.len()], ones).expect("a mask has its sides' pixels")
    }
}

impl ImageProcessor {
    /// Reads the fields of a `preprocessor_config.json` for a graph of 3 planes (RGB) or 1 (grey).
    ///
    /// # Errors
    /// A sentence that names the class or the key that is not understood.
    pub fn read(fields: &Map<String, Value>, planes: usize) -> Result<Self, String> {
        let settings = Settings::new(fields)?;
        let kind = settings.kind;
        let resizes = settings.flag("do_resize", true)?;
        let crop = if settings.flag("do_center_crop", kind.crop.is_some())? {
            if !kind.can_crop {
                return Err(format!("{}ImageProcessor has no do_center_crop", kind.name));
            }
            settings.pair("crop_size")?.or(kind.crop.map(|side| (side, side))).or(Some((289, 289)))
        } else if resizes {
            settings.convnext_crop()?
        } else {
            None
        };
        let pads = settings.flag("do_pad", settings.flag("pad_and_return_pixel_mask", kind.pads)?)?;
        let resample = resample(&settings)?;
        Ok(Self {
            size: if resizes { Some(settings.size_rule()?) } else { None },
            multiple_of: if resizes && kind.style == SizeStyle::Divisible {
                settings.divisor()?
            } else {
                None
            },
            resample,
            smooths: kind.smooths,
            crop,
            centring: match (settings.fast, kind.style) {
                _ if kind.name == "TimmWrapper" => Centring::Torchvision,
                (false, _) => Centring::Slow,
                (true, SizeStyle::ConvNext) => Centring::Torchvision,
                (true, _) => Centring::Fast,
            },
            levels: Arc::new(levels(&settings, planes)?),
            pad: if pads { Some(Padding { to: settings.pair("pad_size")? }) } else { None },
        })
    }

    /// Width and height of what it makes, where they do not depend on the picture.
    #[must_use]
    pub fn fixed_size(&self) -> Option<(u32, u32)> {
        let padded = self.pad.and_then(|pad| pad.to);
        let scaled = self.size.and_then(SizeRule::fixed);
        padded.or(self.crop).or(scaled.map(|size| self.whole(size)))
    }

    /// Width and height that a picture of `source` pixels is scaled to, before it is cropped or padded.
    #[must_use]
    pub fn scaled_size(&self, source: (u32, u32)) -> (u32, u32) {
        self.whole(self.size.map_or(source, |rule| rule.of(source)))
    }

    /// A size with the sides the graph takes.
    fn whole(&self, (width, height): (u32, u32)) -> (u32, u32) {
        let whole = |side: u32| self.multiple_of.map_or(side, |divisor| side.next_multiple_of(divisor));
        (whole(width), whole(height))
    }

    /// The picture as the graph takes it. Runs on a CPU thread.
    ///
    /// # Errors
    /// [`VisionError::Empty`] for a picture without pixels, [`VisionError::DoesNotFit`] for one that does not fit into the
    /// padding the model was made with, [`VisionError::StretchedTooFar`] for one so long and thin that it becomes too large.
    pub fn prepare(&self, frame: &Frame) -> Result<Pixels, VisionError> {
        let source = (frame.width(), frame.height());
        let canvas = self.canvas(self.scaled_size(source))?;
        let (width, height) = (canvas.window.width, canvas.window.height);
        if u64::from(width) * u64::from(height) > MOST_PIXELS {
            return Err(VisionError::StretchedTooFar { width, height, max_pixels: MOST_PIXELS });
        }
        let scaled = (!self.smooths)
            .then(|| resize(frame, canvas.scaled.0, canvas.scaled.1, Filter::OpenCvLinear))
            .transpose()?;
        let frame = scaled.as_ref().unwrap_or(frame);
        let grey = (self.levels.planes() == 1).then(|| frame.grey());
        let frame = grey.as_ref().unwrap_or(frame);
        let sketch = Sketch::new(frame, self.resample, canvas, Arc::clone(&self.levels))?;
        let (width, height) = (canvas.size.0 as usize, canvas.size.1 as usize);
        let values = Tensor::sketched(vec![1, self.levels.planes(), height, width], sketch);
        Ok(Pixels {
            values: values.expect("a canvas has planes of its own size"),
            placement: placed(source, &canvas),
            canvas,
        })
    }

    fn canvas(&self, scaled: (u32, u32)) -> Result<Canvas, VisionError> {
        let whole = PixelBox { x: 0, y: 0, width: scaled.0, height: scaled.1 };
        let plain =
            Canvas { scaled, window: whole, offset: (0, 0), size: scaled, around: Around::Number(0.0) };
        if let Some(size) = self.crop {
            let (x, width, left) = self.centring.of(scaled.0, size.0);
            let (y, height, top) = self.centring.of(scaled.1, size.1);
            let window = PixelBox { x, y, width, height };
            return Ok(Canvas { window, offset: (left, top), size, around: Around::Black, ..plain });
        }
        match self.pad.and_then(|pad| pad.to) {
            Some(to) if to.0 < scaled.0 || to.1 < scaled.1 => {
                Err(VisionError::DoesNotFit { width: scaled.0, height: scaled.1, canvas: to })
            }
            Some(size) => Ok(Canvas { size, ..plain }),
            None => Ok(plain),
        }
    }
}

impl Centring {
    /// Along one side: first pixel, number of pixels, and where they land. Pictures that are too small are padded first.
    fn of(self, side: u32, crop: u32) -> (u32, u32, u32) {
        let (beyond, missing) = (side.saturating_sub(crop), crop.saturating_sub(side));
        let first = match self {
            Self::Slow | Self::Fast => beyond / 2,
            Self::Torchvision => (f64::from(beyond) / 2.0).round_ties_even() as u32,
        };
        let left = match self {
            Self::Slow => missing.div_ceil(2),
            Self::Fast | Self::Torchvision => missing / 2,
        };
        (first, side.min(crop), left)
    }
}

fn resample(settings: &Settings<'_>) -> Result<Resample, String> {
    let default = settings.kind.resample;
    let code = settings.number("resample", -1.0)?;
    let resample = match code {
        -1.0 => default,
        code if code.fract() == 0.0 && code >= 0.0 => Resample::from_code(code as u64)
            .ok_or_else(|| format!("its resample {code} is none of Pillow's filters 0 to 5"))?,
        code => return Err(format!("its resample {code} is none of Pillow's filters 0 to 5")),
    };
    if settings.fast && resample == Resample::Nearest {
        return Err(format!(
            "{}ImageProcessorFast picks other pixels than Pillow when it takes the nearest (resample 0)",
            settings.kind.name
        ));
    }
    if !settings.kind.smooths && resample != Resample::Bilinear {
        return Err(format!("{}ImageProcessor is done with resample 2 only", settings.kind.name));
    }
    Ok(resample)
}

/// What samples become, with the reference's arithmetic: rescaled in double precision, the rest in single.
fn levels(settings: &Settings<'_>, planes: usize) -> Result<Levels, String> {
    let kind = settings.kind;
    let channels: &[usize] = match (planes, settings.flag("do_flip_channel_order", kind.name == "MobileViT")?)
    {
        (3, false) => &[0, 1, 2],
        (3, true) => &[2, 1, 0],
        (1, _) => &[0],
        _ => return Err(format!("pictures of {planes} planes are not made, only of 3 and 1")),
    };
    let factor = match settings.flag("do_rescale", true)? {
        true => Some(settings.number("rescale_factor", 1.0 / 255.0)?),
        false => None,
    };
    let shift = settings.flag("rescale_offset", false)? && factor.is_some();
    let mean = settings.per_plane("image_mean", kind.mean, planes)?;
    let std = settings.per_plane("image_std", kind.std, planes)?;
    let normalises = settings.flag("do_normalize", kind.normalise)?;
    let again = kind.name == "EfficientNet" && settings.flag("include_top", true)?;
    if (normalises || again) && std.contains(&0.0) {
        return Err("its image_std has a zero".to_owned());
    }
    Ok(Levels::new(channels, |plane, sample| {
        let mut level = factor.map_or(f32::from(sample), |factor| (f64::from(sample) * factor) as f32);
        if shift {
            level -= 1.0;
        }
        if normalises {
            level = (level - mean[plane]) / std[plane];
        }
        if again { level / std[plane] } else { level }
    }))
}

/// Along one side of the canvas, told in so many places of its `wanted`: where the picture is, which begins at `first`.
fn shown((first, pixels): (u32, u32), side: u32, wanted: Option<usize>) -> Vec<bool> {
    let (first, side) = (first as usize, side as usize);
    let wanted = wanted.unwrap_or(side);
    let picture = first..first + pixels as usize;
    (0..wanted).map(|place| picture.contains(&(place * side / wanted))).collect()
}

/// Where the picture landed: the part of it that the window shows, scaled to the window.
fn placed(source: (u32, u32), canvas: &Canvas) -> Placement {
    let (window, scaled) = (canvas.window, canvas.scaled);
    let along = |at: u32, side: u32, scaled: u32| f64::from(at) * f64::from(side) / f64::from(scaled.max(1));
    let used = [
        along(window.x, source.0, scaled.0),
        along(window.y, source.1, scaled.1),
        along(window.width, source.0, scaled.0),
        along(window.height, source.1, scaled.1),
    ];
    Placement {
        source,
        used,
        scaled: (window.width, window.height),
        offset: canvas.offset,
        canvas: canvas.size,
    }
}
