//! Lines of text in the bundled font.

use std::collections::HashMap;
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont};

use super::Rgb;
use super::canvas::Canvas;

/// DejaVu Sans 2.37: Latin, Greek, Cyrillic and more. Characters it lacks show as a box.
static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../../assets/DejaVuSans.ttf"))
        .expect("the bundled font is a font")
});
/// Places between two pixels where a letter can stand.
const PLACES: f32 = 8.0;
/// Letters that are kept, bytes: more than the text of one picture has, unless it is huge.
const MOST_BYTES: usize = 8 * 1024 * 1024;

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
    pub(super) fn draw(&self, canvas: &mut Canvas, (x, y): (f32, f32), ink: Rgb, letters: &mut Letters) {
        // Baselines on whole pixels keep small letters crisp.
        let baseline = (y + self.ascent).round() as i32;
        for &(glyph, offset) in &self.glyphs {
            let place = ((x + offset) * PLACES).round() as i32;
            let (pixel, place) = (place.div_euclid(PLACES as i32), place.rem_euclid(PLACES as i32));
            if let Some(letter) = letters.get(glyph, self.size, place) {
                let corner = (pixel + letter.left, baseline + letter.top);
                canvas.stamp(corner, letter.width, &letter.coverage, ink);
            }
        }
    }
}

/// Letters as pixels, made once however often they are drawn.
#[derive(Default)]
pub(super) struct Letters {
    /// By size and place between two pixels; none for a letter that leaves no mark.
    made: HashMap<(GlyphId, u32, i32), Option<Letter>>,
    /// Held by them; beyond [`MOST_BYTES`] all are forgotten.
    bytes: usize,
}

/// How much of each pixel a letter covers, of 255.
struct Letter {
    /// From the pen to the first column, pixels.
    left: i32,
    /// From the baseline to the first row, pixels.
    top: i32,
    width: usize,
    coverage: Vec<u8>,
}

impl Letters {
    fn get(&mut self, glyph: GlyphId, size: PxScale, place: i32) -> Option<&Letter> {
        if self.bytes > MOST_BYTES {
            *self = Self::default();
        }
        let make = || {
            let letter = Letter::new(glyph, size, place as f32 / PLACES);
            self.bytes += letter.as_ref().map_or(0, |letter| letter.coverage.len());
            letter
        };
        self.made.entry((glyph, size.y.to_bits(), place)).or_insert_with(make).as_ref()
    }
}

impl Letter {
    /// The letter, `place` of a pixel to the right of a pixel's edge.
    fn new(glyph: GlyphId, size: PxScale, place: f32) -> Option<Self> {
        let outline = FONT.outline_glyph(glyph.with_scale_and_position(size, ab_glyph::point(place, 0.0)))?;
        let bounds = outline.px_bounds();
        let (width, height) = (bounds.width() as usize, bounds.height() as usize);
        if width == 0 || height == 0 {
            return None;
        }
        let mut coverage = vec![0; width * height];
        outline.draw(|column, row, share| {
            coverage[row as usize * width + column as usize] = (share.clamp(0.0, 1.0) * 255.0).round() as u8;
        });
        Some(Self { left: bounds.min.x as i32, top: bounds.min.y as i32, width, coverage })
    }
}
