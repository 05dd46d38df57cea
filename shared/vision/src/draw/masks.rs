//! Masks laid over a picture. Large ones first, so that small ones stay visible.

use millrace_contracts::values::Rle;

use super::palette::colour;
use super::{ColorBy, Rgb, class_key};
use crate::Frame;
use crate::stencil::{Stencil, places};

/// One mask to lay over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Which pixels of the picture.
    pub mask: Rle,
    /// Index of the class; negative when unknown.
    pub class_id: i64,
    /// Name of the class, which stands for an index that is unknown.
    pub class_name: String,
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

/// The picture with its masks. What of them lies over its edge is left out.
#[must_use]
pub fn draw_masks(frame: &Frame, layers: &[Layer], style: &MaskStyle) -> Frame {
    let (width, height) = (frame.width(), frame.height());
    let opacity = style.opacity.clamp(0.0, 1.0);
    let mut order: Vec<(usize, &Layer, u64)> =
        layers.iter().enumerate().map(|(index, layer)| (index, layer, layer.mask.area())).collect();
    order.sort_by_key(|(.., area)| std::cmp::Reverse(*area));
    let mut pixels = frame.clone().into_pixels();
    for (index, layer, _) in order {
        let class = class_key(layer.class_id, &layer.class_name);
        let ink = colour(&style.palette, style.color_by.key(index, class, layer.tracker_id));
        let mut lay = |x: u32, y: u32, weight: f32| {
            if x >= width || y >= height {
                return;
            }
            let at = (y as usize * width as usize + x as usize) * 3;
            for (sample, ink) in pixels[at..at + 3].iter_mut().zip(ink) {
                let own = f32::from(*sample);
                *sample = (own + (f32::from(ink) - own) * weight).round() as u8;
            }
        };
        if style.outline == 0 {
            places(&layer.mask).for_each(|(x, y)| lay(x, y, opacity));
            continue;
        }
        let Some(stencil) = Stencil::of(&layer.mask) else { continue };
        let (part, rim) = (stencil.part, stencil.rim(style.outline));
        for (place, _) in stencil.inside.iter().enumerate().filter(|(_, set)| **set) {
            let (x, y) = (part.x + place as u32 % part.width, part.y + place as u32 / part.width);
            lay(x, y, if rim[place] { 1.0 } else { opacity });
        }
    }
    Frame::new(width, height, pixels).expect("the same picture, painted on")
}

#[cfg(test)]
mod tests {
    use super::super::{BoxStyle, LabelStyle, Mark, draw_boxes};
    use super::*;

    fn style(opacity: f32, outline: u32) -> MaskStyle {
        MaskStyle { opacity, outline, palette: vec![[200, 100, 0], [0, 100, 200]], color_by: ColorBy::Index }
    }

    fn layer(mask: Rle) -> Layer {
        Layer { mask, class_id: 0, class_name: String::new(), tracker_id: None }
    }

    #[test]
    fn a_class_without_an_index_has_the_colour_of_its_boxes() {
        let frame = Frame::filled(64, 64, [50; 3]);
        for name in ["cat", "dog", "a red car"] {
            let mask = Rle::of_columns([64, 64], [true; 64 * 64]).unwrap();
            let layer = Layer { mask, class_id: -1, class_name: name.to_owned(), tracker_id: None };
            let mut masks = style(1.0, 0);
            (masks.palette, masks.color_by) = (Vec::new(), ColorBy::Class);
            let mark = Mark {
                bbox: [8.0, 8.0, 56.0, 56.0],
                class_id: -1,
                class_name: name.to_owned(),
                confidence: 0.9,
                tracker_id: None,
            };
            let boxes = BoxStyle { thickness: 4.0, labels: LabelStyle::None, ..BoxStyle::default() };
            let drawn = draw_boxes(&frame, &[mark], &boxes).unwrap();
            assert_eq!(draw_masks(&frame, &[layer], &masks).pixel(8, 30), drawn.pixel(8, 30), "{name}");
            assert_ne!(drawn.pixel(8, 30), Some([50; 3]));
        }
    }

    #[test]
    fn masks_are_the_same_with_and_without_a_stencil() {
        let frame = Frame::filled(6, 5, [50; 3]);
        let square = |place: usize| (1..5).contains(&(place / 5)) && (1..4).contains(&(place % 5));
        let layers = [
            layer(Rle::of_columns([5, 6], (0..30).map(square)).unwrap()),
            layer(Rle::of_columns([5, 6], (0..30).map(|place| place == 12)).unwrap()),
            layer(Rle::of_columns([5, 6], [false; 30]).unwrap()),
        ];
        let plain = draw_masks(&frame, &layers, &style(1.0, 0));
        assert_eq!(plain.pixel(2, 2), Some([0, 100, 200]), "the small one lies on top");
        assert_eq!((plain.pixel(1, 1), plain.pixel(0, 0)), (Some([200, 100, 0]), Some([50; 3])));
        assert_eq!(draw_masks(&frame, &layers, &style(1.0, 1)), plain);
        let faint = draw_masks(&frame, &layers, &style(0.0, 1));
        assert_eq!((faint.pixel(1, 1), faint.pixel(3, 2)), (Some([200, 100, 0]), Some([50; 3])));
    }

    /// The boxes of these masks have 600 thousand million pixels together: with a byte for each they fit no memory.
    #[test]
    fn a_mask_takes_the_room_of_its_runs() {
        let (width, height) = (3_000, 2_000);
        let corners = Rle { size: [height, width], counts: vec![0, 1, width * height - 2, 1] };
        let layers = vec![layer(corners); 100_000];
        let drawn = draw_masks(&Frame::filled(width, height, [50; 3]), &layers, &style(1.0, 0));
        assert_eq!((drawn.pixel(0, 0), drawn.pixel(1, 0)), (Some([0, 100, 200]), Some([50; 3])));
        assert_eq!(drawn.pixel(width - 1, height - 1), Some([0, 100, 200]));
    }
}
