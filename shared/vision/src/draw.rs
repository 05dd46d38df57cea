//! Boxes and labels on a picture, anti-aliased. Colours are stable: the same class has the same colour everywhere.

mod canvas;
mod labels;
mod masks;
mod palette;
mod text;
mod writing;

use crate::{Frame, VisionError};
use canvas::Canvas;
pub use masks::{Layer, MaskStyle, draw_masks};
pub(crate) use writing::{Writing, write};
pub use writing::{beside, beside_size};

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// `[x1, y1, x2, y2]`, pixels of the picture; may stand over its edge.
    pub bbox: [f32; 4],
    /// Index of the class; negative when unknown.
    pub class_id: i64,
    /// Name of the class.
    pub class_name: String,
    /// 0 to 1.
    pub confidence: f32,
    /// Identity over time.
    pub tracker_id: Option<i64>,
}

/// What chooses a mark's colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorBy {
    /// Its class.
    #[default]
    Class,
    /// Its place in the list.
    Index,
    /// Its tracker id; its class where it has none.
    Track,
}

impl ColorBy {
    /// What a colour is chosen by: the same key has the same colour.
    fn key(self, index: usize, class: i64, tracker: Option<i64>) -> i64 {
        match self {
            Self::Index => index as i64,
            Self::Class => class,
            Self::Track => tracker.unwrap_or(class),
        }
    }
}

/// What is written on a mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LabelStyle {
    /// The class.
    #[default]
    Class,
    /// The class and the score, `star 0.97`.
    ClassConfidence,
    /// Nothing.
    None,
}

/// How boxes look.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxStyle {
    /// Width of the lines, pixels.
    pub thickness: f32,
    /// Colours to choose from, in turn; the built-in palette when empty.
    pub palette: Vec<Rgb>,
    /// What chooses the colour.
    pub color_by: ColorBy,
    /// What is written.
    pub labels: LabelStyle,
    /// Size of the text, 1 being normal for the picture's size.
    pub text_scale: f32,
    /// 0 square corners, 1 as round as they can be.
    pub roundness: f32,
}

impl Default for BoxStyle {
    fn default() -> Self {
        Self {
            thickness: 2.0,
            palette: Vec::new(),
            color_by: ColorBy::Class,
            labels: LabelStyle::Class,
            text_scale: 1.0,
            roundness: 0.0,
        }
    }
}

/// The picture with its marks. Large boxes are drawn first, so that small ones stay visible; labels come last, stay
/// inside the picture, and avoid each other where there is room.
///
/// # Errors
/// None in practice: a frame without pixels comes back as it is, and marks without an area or with corners that are
/// no numbers are left out.
pub fn draw_boxes(frame: &Frame, marks: &[Mark], style: &BoxStyle) -> Result<Frame, VisionError> {
    let Some(mut canvas) = Canvas::of(frame) else { return Ok(frame.clone()) };
    let mut order: Vec<(usize, &Mark)> = marks
        .iter()
        .enumerate()
        .filter(|(_, mark)| mark.bbox.iter().all(|corner| corner.is_finite()))
        .collect();
    order.sort_by(|(_, a), (_, b)| area(b).total_cmp(&area(a)));
    for &(index, mark) in &order {
        canvas.outline(mark.bbox, style.colour(index, mark), style);
    }
    // The most confident mark, which models give first, gets the best place for its label.
    order.sort_by_key(|(index, _)| *index);
    let mut placed = labels::Labels::new(frame, style);
    for &(index, mark) in &order {
        if let Some(text) = style.text(mark) {
            placed.put(&mut canvas, &text, mark.bbox, style.colour(index, mark));
        }
    }
    canvas.into_frame()
}

fn area(mark: &Mark) -> f32 {
    let [x1, y1, x2, y2] = mark.bbox;
    (x2 - x1).max(0.0) * (y2 - y1).max(0.0)
}

impl BoxStyle {
    /// The pixels that are looked at to draw a mark's box on a picture of this width and height: what its line takes, and with
    /// round corners what lies between them.
    #[must_use]
    pub fn outline_pixels(&self, mark: &Mark, (width, height): (u32, u32)) -> u64 {
        if !mark.bbox.iter().all(|corner| corner.is_finite()) {
            return 0;
        }
        canvas::outline_pixels(mark.bbox, (width as f32, height as f32), self)
    }

    /// About how many pixels a mark's label has on a picture of this width and height; none where nothing is written.
    #[must_use]
    pub fn label_pixels(&self, mark: &Mark, size: (u32, u32)) -> Option<u64> {
        self.text(mark).map(|text| labels::label_pixels(&text, size, self))
    }

    fn colour(&self, index: usize, mark: &Mark) -> Rgb {
        palette::colour(
            &self.palette,
            self.color_by.key(index, class_key(mark.class_id, &mark.class_name), mark.tracker_id),
        )
    }

    fn text(&self, mark: &Mark) -> Option<String> {
        let name = match (mark.class_name.trim(), mark.class_id) {
            ("", id) if id < 0 => String::new(),
            ("", id) => format!("class {id}"),
            (name, _) => name.to_owned(),
        };
        let text = match self.labels {
            LabelStyle::None => return None,
            LabelStyle::Class => name,
            LabelStyle::ClassConfidence => format!("{name} {:.2}", mark.confidence),
        };
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// The class's index; for classes without one a number made from the name, so that the colour is stable all the same.
fn class_key(id: i64, name: &str) -> i64 {
    if id >= 0 {
        return id;
    }
    // FNV-1a: short, and the same on every machine and in every version.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash >> 1) as i64
}
