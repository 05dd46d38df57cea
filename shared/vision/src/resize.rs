//! Scaling. Two families of filters: antialiased convolution as Pillow does it (a filter grows with the factor when
//! shrinking), and OpenCV's `INTER_LINEAR` (always two by two pixels), which many detectors were trained with.
//!
//! The former are within a level of Pillow's: of the passes across and down, the one comes first with which both cost less.

use crate::pillow::{Order, Scaling};
use crate::span::Span;
use crate::{Frame, Letterbox, Placement, Resample, VisionError, opencv_linear};

/// How new pixels are made from old ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Filter {
    /// The nearest pixel (Pillow `NEAREST`).
    Nearest,
    /// Antialiased triangle (Pillow `BILINEAR`).
    #[default]
    Bilinear,
    /// Antialiased cubic with a = −0.5 (Pillow `BICUBIC`).
    Bicubic,
    /// Mean over the pixel's area (Pillow `BOX`; OpenCV `INTER_AREA` when shrinking).
    Area,
    /// Antialiased windowed sinc of three lobes (Pillow `LANCZOS`).
    Lanczos3,
    /// Two by two pixels whatever the factor (OpenCV `INTER_LINEAR`, to the bit). What Ultralytics' letterbox uses.
    OpenCvLinear,
}

impl Filter {
    /// What Pillow calls it; none where the filter is OpenCV's.
    fn resample(self) -> Option<Resample> {
        match self {
            Self::Nearest => Some(Resample::Nearest),
            Self::Bilinear => Some(Resample::Bilinear),
            Self::Bicubic => Some(Resample::Bicubic),
            Self::Area => Some(Resample::Box),
            Self::Lanczos3 => Some(Resample::Lanczos),
            Self::OpenCvLinear => None,
        }
    }
}

/// What a picture that has another shape than the target does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FitMode {
    /// Takes the target's size; the aspect changes.
    #[default]
    Stretch,
    /// Becomes as large as the target holds; the result may be smaller on one side.
    Fit,
    /// As `Fit`, centred on a canvas of exactly the target's size.
    Letterbox,
    /// Covers the target; what stands over is cut off evenly.
    Fill,
}

/// The size asked for, pixels. A side that is none follows from the aspect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Target {
    /// Pixels across.
    pub width: Option<u32>,
    /// Pixels down.
    pub height: Option<u32>,
}

/// Where a `source` of width × height pixels lands. Sides that are computed are rounded half to even and at least 1;
/// with both sides of the target missing the picture keeps its size.
#[must_use]
pub fn plan_resize(source: (u32, u32), target: Target, mode: FitMode) -> Placement {
    let follow = |given: u32, own: u32, other: u32| {
        if own == 0 { 0 } else { rounded(f64::from(other) * f64::from(given) / f64::from(own)) }
    };
    let (width, height) = match (target.width, target.height) {
        (Some(width), Some(height)) => (width, height),
        (Some(width), None) => (width, follow(width, source.0, source.1)),
        (None, Some(height)) => (follow(height, source.1, source.0), height),
        (None, None) => source,
    };
    if target.width.is_none() || target.height.is_none() || source.0 == 0 || source.1 == 0 {
        return Placement::stretch(source, (width, height));
    }
    let ratios = (f64::from(width) / f64::from(source.0), f64::from(height) / f64::from(source.1));
    match mode {
        FitMode::Stretch => Placement::stretch(source, (width, height)),
        FitMode::Fit => {
            let gain = ratios.0.min(ratios.1);
            let side = |own: u32| rounded(f64::from(own) * gain);
            Placement::stretch(source, (side(source.0).min(width), side(source.1).min(height)))
        }
        FitMode::Letterbox => Letterbox::new(width, height).place(source),
        FitMode::Fill => {
            let gain = ratios.0.max(ratios.1);
            let used = (f64::from(width) / gain, f64::from(height) / gain);
            let start = ((f64::from(source.0) - used.0) / 2.0, (f64::from(source.1) - used.1) / 2.0);
            let used = [start.0.max(0.0), start.1.max(0.0), used.0, used.1];
            Placement { used, ..Placement::stretch(source, (width, height)) }
        }
    }
}

fn rounded(side: f64) -> u32 {
    (side.round_ties_even() as u32).max(1)
}

/// The whole picture at another size.
///
/// # Errors
/// [`VisionError::Empty`] when a picture without pixels is to have some.
pub fn resize(frame: &Frame, width: u32, height: u32, filter: Filter) -> Result<Frame, VisionError> {
    let whole = [0.0, 0.0, f64::from(frame.width()), f64::from(frame.height())];
    scale_part(frame, whole, (width, height), filter)
}

/// The part `[x, y, width, height]` of the picture at another size.
pub(crate) fn scale_part(
    frame: &Frame,
    part: [f64; 4],
    (width, height): (u32, u32),
    filter: Filter,
) -> Result<Frame, VisionError> {
    if width == 0 || height == 0 {
        return Frame::new(width, height, Vec::new());
    }
    if frame.is_empty() {
        return Err(VisionError::Empty { action: "scale", width: frame.width(), height: frame.height() });
    }
    let whole = [0.0, 0.0, f64::from(frame.width()), f64::from(frame.height())];
    if part == whole && (width, height) == (frame.width(), frame.height()) {
        return Ok(frame.clone());
    }
    let [x, y, used_width, used_height] = part;
    let spans = [
        Span { start: x, extent: used_width, side: frame.width() },
        Span { start: y, extent: used_height, side: frame.height() },
    ];
    match filter.resample() {
        Some(resample) => {
            Scaling { frame, spans, size: (width, height), resample, order: Order::Cheapest }.whole()
        }
        None => Frame::new(width, height, opencv_linear::scaled(frame, spans, (width, height))),
    }
}
