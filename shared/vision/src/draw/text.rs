//! Lines of text in the bundled font.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont};

use super::Rgb;
use super::canvas::Canvas;

/// DejaVu Sans 2.37: Latin, Greek, Cyrillic and more. Characters it lacks show as a box.
static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../../assets/DejaVuSans.ttf"))
        .expect("the bundled font is a font")
});

/// A line of text, measured.
pub(super) struct Line {
    glyphs: Vec<(GlyphId, f32)>,
    size: PxScale,
    /// Pixels across.
    pub(super) width: f32,
    /// Pixels from the top of the tallest letter to the bottom of the deepest.
    pub(super) height: f32,
    ascent: f32,
}

impl Line {
    /// `text` in letters of `pixels` height, cut with an ellipsis where it would be wider than `most` pixels.
    pub(super) fn fit(text: &str, pixels: f32, most: f32) -> Self {
        let whole = Self::new(text, pixels);
        if whole.width <= most {
            return whole;
        }
        let characters: Vec<char> = text.chars().collect();
        let cut = |kept: usize| {
            let head: String = characters[..kept].iter().collect();
            Self::new(&format!("{}…", head.trim_end()), pixels)
        };
        // The longest beginning that fits; widths grow with every character.
        let kept = (0..characters.len()).collect::<Vec<_>>().partition_point(|&kept| cut(kept).width <= most);
        cut(kept.saturating_sub(1))
    }

    fn new(text: &str, pixels: f32) -> Self {
        let size = PxScale::from(pixels);
        let font = FONT.as_scaled(size);
        let mut glyphs: Vec<(GlyphId, f32)> = Vec::with_capacity(text.len());
        let mut pen = 0.0;
        for character in text.chars().filter(|character| !character.is_control()) {
            let glyph = font.glyph_id(character);
            if let Some(&(before, _)) = glyphs.last() {
                pen += font.kern(before, glyph);
            }
            glyphs.push((glyph, pen));
            pen += font.h_advance(glyph);
        }
        Self { glyphs, size, width: pen, height: font.ascent() - font.descent(), ascent: font.ascent() }
    }

    /// Draws it with its top left corner at (x, y).
    pub(super) fn draw(&self, canvas: &mut Canvas, (x, y): (f32, f32), ink: Rgb) {
        // Baselines on whole pixels keep small letters crisp.
        let baseline = (y + self.ascent).round();
        for &(glyph, offset) in &self.glyphs {
            let position = ab_glyph::point(x + offset, baseline);
            let Some(outline) = FONT.outline_glyph(glyph.with_scale_and_position(self.size, position)) else {
                continue;
            };
            let bounds = outline.px_bounds();
            let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
            outline.draw(|column, row, coverage| {
                canvas.blend(left + column as i32, top + row as i32, ink, coverage);
            });
        }
    }
}
