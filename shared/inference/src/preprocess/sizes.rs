//! From a picture's size to the size it is scaled to, with the roundings of `transformers`' `image_transforms.py` and
//! `image_processing_detr.py`.

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SizeRule {
    /// This size, whatever the aspect.
    Exact { width: u32, height: u32 },
    /// The shorter side becomes `edge`, the other follows and is cut to a whole number; `most` bounds the longer.
    Shortest { edge: u32, most: Option<u32> },
    /// As `Shortest`, but the bound is worked out first, and rounded (DETR).
    Detr { edge: u32, most: u32 },
    /// As `Detr`, with a shortcut less, and cut to multiples of 16.
    Yolos { edge: u32, most: u32 },
    /// As large as fits into this.
    Within { width: u32, height: u32 },
}

impl SizeRule {
    /// The new width and height of a picture; at least 1 each.
    pub(super) fn of(self, source: (u32, u32)) -> (u32, u32) {
        let (width, height) = (f64::from(source.0), f64::from(source.1));
        let (short, long) = (width.min(height), width.max(height));
        let oriented = |new_short: f64, new_long: f64| {
            if source.0 <= source.1 {
                (cut(new_short), cut(new_long))
            } else {
                (cut(new_long), cut(new_short))
            }
        };
        match self {
            Self::Exact { width, height } => (width, height),
            _ if short == 0.0 => (1, 1),
            Self::Shortest { edge, most } => {
                let edge = f64::from(edge);
                let follows = (edge * long / short).trunc();
                match most.map(f64::from) {
                    Some(most) if follows > most => oriented((most * edge / follows).trunc(), most),
                    _ => oriented(edge, follows),
                }
            }
            Self::Detr { edge, most } => detr(source, edge, most, true),
            Self::Yolos { edge, most } => {
                let (width, height) = detr(source, edge, most, source.0 >= source.1);
                let whole = |side: u32| (side - side % 16).max(16);
                (whole(width), whole(height))
            }
            Self::Within { width: most_width, height: most_height } => {
                let gain = (f64::from(most_height) / height).min(f64::from(most_width) / width);
                (cut(width * gain), cut(height * gain))
            }
        }
    }

    /// The size where it does not depend on the picture.
    pub(super) fn fixed(self) -> Option<(u32, u32)> {
        match self {
            Self::Exact { width, height } => Some((width, height)),
            _ => None,
        }
    }
}

/// `get_size_with_aspect_ratio`. With the shortcut a picture whose shorter side is right already stays as it is.
fn detr(source: (u32, u32), edge: u32, most: u32, shortcut: bool) -> (u32, u32) {
    let (width, height) = (f64::from(source.0), f64::from(source.1));
    let (short, long) = (width.min(height), width.max(height));
    let (most, mut edge) = (f64::from(most), f64::from(edge));
    let mut exact = edge;
    if long / short * edge > most {
        exact = most * short / long;
        edge = exact.round_ties_even();
    }
    if short == edge && shortcut {
        return source;
    }
    if width < height {
        (cut(edge), cut(exact * height / width))
    } else {
        (cut(exact * width / height), cut(edge))
    }
}

/// Cut towards zero, as Python's `int`; a side keeps at least a pixel. Far beyond what is decoded, so that nothing overflows.
fn cut(side: f64) -> u32 {
    (side as u32).clamp(1, 1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_side_leads_and_the_other_is_cut() {
        let rule = SizeRule::Shortest { edge: 256, most: None };
        // transformers: int(256 * 480 / 320) = 384, int(256 * 427 / 333) = 328.
        assert_eq!(rule.of((480, 320)), (384, 256));
        assert_eq!(rule.of((333, 427)), (256, 328));
        assert_eq!(rule.of((100, 100)), (256, 256));
        let bounded = SizeRule::Shortest { edge: 256, most: Some(300) };
        assert_eq!(bounded.of((480, 320)), (300, 200));
    }

    #[test]
    fn detr_bounds_the_longer_side_first() {
        // get_size_with_aspect_ratio((h, w), 800, 1333) of transformers 4.57.3.
        let rule = SizeRule::Detr { edge: 800, most: 1333 };
        for (source, expected) in [
            ((640, 480), (1066, 800)),
            ((480, 640), (800, 1066)),
            ((1000, 300), (1333, 400)),
            ((300, 1000), (400, 1333)),
            ((800, 800), (800, 800)),
            ((900, 800), (900, 800)),
            ((1333, 517), (1333, 517)),
            ((1, 5000), (1, 1333)),
        ] {
            assert_eq!(rule.of(source), expected, "{source:?}");
        }
    }

    #[test]
    fn fitting_into_a_frame_enlarges_too() {
        let rule = SizeRule::Within { width: 500, height: 200 };
        assert_eq!(rule.of((200, 100)), (400, 200));
        assert_eq!(rule.of((2000, 100)), (500, 25));
    }
}
