//! Decoding to less than a picture's own size, for those who would scale it down anyway: what libjpeg calls scaled decoding,
//! Pillow `draft`, OpenCV `IMREAD_REDUCED_COLOR`.

use crate::resize::scale_part;
use crate::{Filter, Frame, VisionError};

/// By how much a picture is made smaller while it is decoded, each way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Every pixel.
    #[default]
    None,
    /// Half the width and height.
    Half,
    /// A quarter.
    Quarter,
    /// An eighth.
    Eighth,
}

impl Reduction {
    /// From the strongest.
    const ALL: [Self; 4] = [Self::Eighth, Self::Quarter, Self::Half, Self::None];

    /// The strongest that leaves a picture of `source` (width, height) pixels at least as large as the `target` it is to be
    /// scaled to, so that nothing is ever enlarged for it.
    #[must_use]
    pub fn between(source: (u32, u32), target: (u32, u32)) -> Self {
        let enough = |one: &Self| {
            let factor = one.factor();
            source.0 / factor >= target.0.max(1) && source.1 / factor >= target.1.max(1)
        };
        Self::ALL.into_iter().find(enough).unwrap_or_default()
    }

    /// Pixels of the picture to one of what is decoded, each way: 1, 2, 4 or 8.
    #[must_use]
    pub fn factor(self) -> u32 {
        match self {
            Self::None => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }

    /// What becomes of so many pixels: a last one that is not whole counts.
    #[must_use]
    pub fn of(self, side: u32) -> u32 {
        side.div_ceil(self.factor())
    }

    /// A picture that is decoded already, made smaller: each pixel is the mean of those it stands for.
    pub(crate) fn paint(self, frame: &Frame) -> Result<Frame, VisionError> {
        let size = (self.of(frame.width()), self.of(frame.height()));
        // Whole pixels, so that every one stands for as many, where the last ones reach beyond the picture.
        let reach = |side: u32| f64::from(side) * f64::from(self.factor());
        scale_part(frame, [0.0, 0.0, reach(size.0), reach(size.1)], size, Filter::Area)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_made_smaller_than_it_is_wanted() {
        let between = |source, target| Reduction::between(source, target).factor();
        assert_eq!(between((640, 480), (224, 224)), 2);
        assert_eq!(between((4032, 3024), (640, 480)), 4);
        assert_eq!(between((4032, 3024), (224, 224)), 8);
        assert_eq!(between((448, 448), (224, 224)), 2);
        assert_eq!(between((447, 448), (224, 224)), 1);
        assert_eq!(between((100, 100), (224, 224)), 1);
        assert_eq!(between((8, 8), (0, 0)), 8);
        assert_eq!(between((0, 0), (0, 0)), 1);
    }

    #[test]
    fn a_last_pixel_that_is_not_whole_counts() {
        assert_eq!(Reduction::Eighth.of(4031), 504);
        assert_eq!(Reduction::None.of(7), 7);
    }
}
