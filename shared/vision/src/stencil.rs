//! A mask, cut down to the box around what is set. It has a byte for each pixel of that box, and the mask a few for each run:
//! whoever has many masks keeps them as they are, and makes one stencil at a time, where one is needed at all.

use millrace_contracts::values::Rle;

use crate::PixelBox;

/// Which pixels of a box are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stencil {
    /// The box.
    pub(crate) part: PixelBox,
    /// One value per pixel of the box, row by row.
    pub(crate) inside: Vec<bool>,
}

/// The box around what is set; none when nothing is, or the runs do not fit the size.
pub(crate) fn part_of(mask: &Rle) -> Option<PixelBox> {
    mask.check().ok()?;
    let [x1, y1, x2, y2] = mask.bbox()?;
    Some(PixelBox { x: x1, y: y1, width: x2 - x1, height: y2 - y1 })
}

/// The columns and rows of the pixels that are set.
pub(crate) fn places(mask: &Rle) -> impl Iterator<Item = (u32, u32)> {
    let rows = u64::from(mask.size[0]).max(1);
    let pixels = |(start, count)| start..start + u64::from(count);
    mask.ones().flat_map(pixels).map(move |place| ((place / rows) as u32, (place % rows) as u32))
}

impl Stencil {
    /// The stencil of a run-length mask; none when nothing of it is set.
    pub(crate) fn of(mask: &Rle) -> Option<Self> {
        let part = part_of(mask)?;
        let mut inside = vec![false; part.width as usize * part.height as usize];
        for (x, y) in places(mask) {
            inside[(y - part.y) as usize * part.width as usize + (x - part.x) as usize] = true;
        }
        Some(Self { part, inside })
    }

    /// The pixels that are set and within `thickness` steps (up, down, left, right) of one that is not.
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
        Stencil::of(&Rle::of_columns([7, 6], columns).unwrap()).unwrap()
    }

    #[test]
    fn a_stencil_is_the_mask_around_what_is_set() {
        let stencil = square();
        assert_eq!(stencil.part, PixelBox { x: 1, y: 2, width: 4, height: 4 });
        assert_eq!(stencil.inside, [true; 16]);
        assert_eq!(stencil.rim(1).iter().filter(|set| **set).count(), 12);
        assert_eq!(stencil.rim(2).iter().filter(|set| **set).count(), 16);
        assert_eq!(stencil.rim(u32::MAX).iter().filter(|set| **set).count(), 16);
    }

    #[test]
    fn masks_without_a_pixel_have_none() {
        assert_eq!(Stencil::of(&Rle::of_columns([2, 2], [false; 4]).unwrap()), None);
        assert_eq!(Stencil::of(&Rle { size: [2, 2], counts: vec![0, 9] }), None);
    }
}
