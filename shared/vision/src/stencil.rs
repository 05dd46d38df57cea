//! A mask, cut down to the box around what is set.

use millrace_contracts::values::Rle;

use crate::PixelBox;

/// Which pixels of a box are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stencil {
    /// The box.
    pub part: PixelBox,
    /// One value per pixel of the box, row by row.
    pub inside: Vec<bool>,
}

impl Stencil {
    /// The stencil of a run-length mask over a picture of width × height; none when the mask is empty, or of another
    /// size than the picture.
    #[must_use]
    pub fn of(mask: &Rle, (width, height): (u32, u32)) -> Option<Self> {
        if mask.size != [height, width] || mask.check().is_err() {
            return None;
        }
        let [x1, y1, x2, y2] = mask.bbox()?;
        let part = PixelBox { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
        let mut inside = vec![false; part.width as usize * part.height as usize];
        let rows = u64::from(height);
        for (start, count) in mask.ones() {
            for place in start..start + u64::from(count) {
                let (x, y) = ((place / rows) as u32 - x1, (place % rows) as u32 - y1);
                inside[y as usize * part.width as usize + x as usize] = true;
            }
        }
        Some(Self { part, inside })
    }

    /// Pixels that are set.
    #[must_use]
    pub fn area(&self) -> usize {
        self.inside.iter().filter(|set| **set).count()
    }

    /// The pixels that are set and within `thickness` steps (up, down, left, right) of one that is not.
    #[must_use]
    pub(crate) fn rim(&self, thickness: u32) -> Vec<bool> {
        let (width, height) = (self.part.width as usize, self.part.height as usize);
        let mut core = self.inside.clone();
        // So many steps reach the middle from every side: nothing is left after them.
        let reach = width.min(height).div_ceil(2);
        for _ in 0..reach.min(thickness as usize) {
            let before = core.clone();
            let set = |x: usize, y: usize| before[y * width + x];
            for y in 0..height {
                for x in 0..width {
                    let inner = x > 0 && y > 0 && x + 1 < width && y + 1 < height;
                    core[y * width + x] = inner
                        && set(x, y)
                        && set(x - 1, y)
                        && set(x + 1, y)
                        && set(x, y - 1)
                        && set(x, y + 1);
                }
            }
        }
        self.inside.iter().zip(core).map(|(set, core)| *set && !core).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 4 × 4 square at (1, 2) of a picture of 6 × 7.
    fn square() -> Stencil {
        let set = |x: usize, y: usize| (1..5).contains(&x) && (2..6).contains(&y);
        let columns = (0..6).flat_map(|x| (0..7).map(move |y| set(x, y)));
        Stencil::of(&Rle::of_columns([7, 6], columns).unwrap(), (6, 7)).unwrap()
    }

    #[test]
    fn a_stencil_is_the_mask_around_what_is_set() {
        let stencil = square();
        assert_eq!(stencil.part, PixelBox { x: 1, y: 2, width: 4, height: 4 });
        assert_eq!(stencil.area(), 16);
        assert_eq!(stencil.rim(1).iter().filter(|set| **set).count(), 12);
        assert_eq!(stencil.rim(2).iter().filter(|set| **set).count(), 16);
        assert_eq!(stencil.rim(u32::MAX).iter().filter(|set| **set).count(), 16);
    }

    #[test]
    fn masks_of_another_size_have_none() {
        let mask = Rle::of_columns([2, 2], [true; 4]).unwrap();
        assert_eq!(Stencil::of(&mask, (3, 2)), None);
        assert_eq!(Stencil::of(&Rle::of_columns([2, 2], [false; 4]).unwrap(), (2, 2)), None);
    }
}
