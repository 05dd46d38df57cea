//! Masks laid over a picture. Large ones first, so that small ones stay visible.

use super::palette::colour;
use super::{ColorBy, Rgb};
use crate::{Frame, Stencil};

/// One mask to lay over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Which pixels.
    pub stencil: Stencil,
    /// Index of the class; negative when unknown.
    pub class_id: i64,
    /// Identity over time.
    pub tracker_id: Option<i64>,
}

/// How masks look.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskStyle {
    /// Weight of the colour over the picture, 0 to 1.
    pub opacity: f32,
    /// Width of the rim in full colour, pixels.
    pub outline: u32,
    /// Colours to choose from, in turn; the built-in palette when empty.
    pub palette: Vec<Rgb>,
    /// What chooses the colour.
    pub color_by: ColorBy,
}

/// The picture with its masks. Stencils that stand over its edge are cut there.
#[must_use]
pub fn draw_masks(frame: &Frame, layers: &[Layer], style: &MaskStyle) -> Frame {
    let (width, height) = (frame.width(), frame.height());
    let mut order: Vec<(usize, &Layer, usize)> =
        layers.iter().enumerate().map(|(index, layer)| (index, layer, layer.stencil.area())).collect();
    order.sort_by_key(|(.., area)| std::cmp::Reverse(*area));
    let mut pixels = frame.clone().into_pixels();
    for (index, layer, _) in order {
        let ink = colour(&style.palette, style.color_by.key(index, layer.class_id, layer.tracker_id));
        let Stencil { part, inside } = &layer.stencil;
        let rim = if style.outline > 0 { layer.stencil.rim(style.outline) } else { Vec::new() };
        for (place, _) in inside.iter().enumerate().filter(|(_, set)| **set) {
            let (x, y) = (part.x + place as u32 % part.width, part.y + place as u32 / part.width);
            if x >= width || y >= height {
                continue;
            }
            let weight = if rim.get(place) == Some(&true) { 1.0 } else { style.opacity.clamp(0.0, 1.0) };
            let at = (y as usize * width as usize + x as usize) * 3;
            for (sample, ink) in pixels[at..at + 3].iter_mut().zip(ink) {
                let own = f32::from(*sample);
                *sample = (own + (f32::from(ink) - own) * weight).round() as u8;
            }
        }
    }
    Frame::new(width, height, pixels).expect("the same picture, painted on")
}
