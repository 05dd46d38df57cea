//! Bilinear enlargement, column by column, as `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)`
//! does it: no antialiasing, edges repeated, weights in single precision (ATen `UpSample.h`).

/// Planes of one size, one per class or query, in single precision.
#[derive(Debug, Clone)]
pub struct Planes {
    count: usize,
    height: usize,
    width: usize,
    /// Plane by plane, column by column.
    columns: Vec<f32>,
}

/// One target column of all planes, between two source columns that are enlarged to the target's height.
pub(crate) struct Blend<'a> {
    left: &'a [f32],
    right: &'a [f32],
    weights: [f32; 2],
    height: usize,
}

/// Where a target pixel lies between two source pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tap {
    from: usize,
    to: usize,
    weights: [f32; 2],
}

impl Planes {
    /// Planes given row by row; none when there are not `count` × `height` × `width` numbers, or no pixel at all.
    #[must_use]
    pub fn of_rows(count: usize, height: usize, width: usize, rows: &[f32]) -> Option<Self> {
        let area = height.checked_mul(width).filter(|&area| area > 0)?;
        if area.checked_mul(count)? != rows.len() {
            return None;
        }
        let mut columns = Vec::with_capacity(rows.len());
        for plane in rows.chunks_exact(area) {
            for x in 0..width {
                columns.extend(plane[x..].iter().step_by(width));
            }
        }
        Some(Self { count, height, width, columns })
    }

    /// Planes of zeros.
    pub(crate) fn blank(count: usize, [height, width]: [usize; 2]) -> Self {
        Self { count, height, width, columns: vec![0.0; count * height * width] }
    }

    /// The numbers of each plane, column by column.
    pub(crate) fn planes_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.columns.chunks_exact_mut(self.height * self.width)
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Every number through `map`.
    pub(crate) fn map(&mut self, map: impl Fn(f32) -> f32) {
        self.columns.iter_mut().for_each(|number| *number = map(*number));
    }

    /// The pixel sizes `[height, width]`.
    pub(crate) fn size(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// The numbers of one plane, column by column.
    pub(crate) fn plane(&self, plane: usize) -> &[f32] {
        let area = self.height * self.width;
        &self.columns[plane * area..(plane + 1) * area]
    }

    /// Only these planes, in this order.
    pub(crate) fn only(&self, planes: &[usize]) -> Self {
        let columns = planes.iter().flat_map(|&plane| self.plane(plane)).copied().collect();
        Self { count: planes.len(), columns, ..*self }
    }

    /// The planes cut to `[top, bottom)` and `[left, right)`; none when nothing is left.
    pub(crate) fn part(&self, [top, bottom]: [usize; 2], [left, right]: [usize; 2]) -> Option<Self> {
        let (bottom, right) = (bottom.min(self.height), right.min(self.width));
        if top >= bottom || left >= right {
            return None;
        }
        let mut columns = Vec::with_capacity(self.count * (bottom - top) * (right - left));
        for plane in 0..self.count {
            let plane = self.plane(plane);
            for x in left..right {
                columns.extend_from_slice(&plane[x * self.height + top..x * self.height + bottom]);
            }
        }
        Some(Self { count: self.count, height: bottom - top, width: right - left, columns })
    }

    /// The planes in another size, held as a whole: for small targets.
    pub(crate) fn resized(&self, [height, width]: [usize; 2]) -> Self {
        if [height, width] == self.size() {
            return self.clone();
        }
        let mut columns = vec![0.0; self.count * height * width];
        self.each_column([height, width], 0..width, |x, blend| {
            for plane in 0..self.count {
                let start = (plane * width + x) * height;
                let column = &mut columns[start..start + height];
                column.iter_mut().zip(blend.column(plane)).for_each(|(to, value)| *to = value);
            }
        });
        Self { count: self.count, height, width, columns }
    }

    /// Gives the columns `wanted` of the planes enlarged to `[height, width]`, from left to right.
    pub(crate) fn each_column(
        &self,
        [height, width]: [usize; 2],
        wanted: std::ops::Range<usize>,
        mut give: impl FnMut(usize, &Blend<'_>),
    ) {
        let down: Vec<Tap> = (0..height).map(|y| tap(y, self.height, height)).collect();
        let blank = || vec![0.0; self.count * height];
        // Two source columns at the target's height: the one to the left and the one to the right.
        let (mut left, mut right) = ((usize::MAX, blank()), (usize::MAX, blank()));
        for x in wanted {
            let across = tap(x, self.width, width);
            if left.0 != across.from {
                if right.0 == across.from {
                    std::mem::swap(&mut left, &mut right);
                } else {
                    self.enlarge(across.from, &down, &mut left.1);
                    left.0 = across.from;
                }
            }
            if right.0 != across.to {
                self.enlarge(across.to, &down, &mut right.1);
                right.0 = across.to;
            }
            give(x, &Blend { left: &left.1, right: &right.1, weights: across.weights, height });
        }
    }

    /// One source column of every plane at the target's height.
    fn enlarge(&self, x: usize, down: &[Tap], to: &mut [f32]) {
        for (plane, to) in to.chunks_exact_mut(down.len()).enumerate() {
            let column = &self.plane(plane)[x * self.height..(x + 1) * self.height];
            for (to, tap) in to.iter_mut().zip(down) {
                *to = tap.weights[0] * column[tap.from] + tap.weights[1] * column[tap.to];
            }
        }
    }
}

impl Blend<'_> {
    /// The column of one plane, from top to bottom.
    pub(crate) fn column(&self, plane: usize) -> impl Iterator<Item = f32> {
        let part = plane * self.height..(plane + 1) * self.height;
        let [near, far] = self.weights;
        let pairs = self.left[part.clone()].iter().zip(&self.right[part]);
        pairs.map(move |(left, right)| near * left + far * right)
    }
}

fn tap(target: usize, source: usize, targets: usize) -> Tap {
    let scale = source as f32 / targets as f32;
    let place = (scale * (target as f32 + 0.5) - 0.5).max(0.0);
    let from = (place as usize).min(source - 1);
    let to = (from + 1).min(source - 1);
    let far = (place - from as f32).clamp(0.0, 1.0);
    Tap { from, to, weights: [1.0 - far, far] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(planes: &Planes) -> Vec<Vec<f32>> {
        let [height, width] = planes.size();
        let plane = planes.plane(0);
        (0..height).map(|y| (0..width).map(|x| plane[x * height + y]).collect()).collect()
    }

    /// `F.interpolate(t, size, mode="bilinear", align_corners=False)` on `arange`: the numbers follow from the formula
    /// `source = (target + 0.5) × scale − 0.5`, clamped below at 0, and can be checked by hand.
    #[test]
    fn values_lie_where_torch_puts_them() {
        let two = Planes::of_rows(1, 2, 2, &[0.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!(
            rows(&two.resized([4, 4])),
            [[0.0, 0.25, 0.75, 1.0], [0.5, 0.75, 1.25, 1.5], [1.5, 1.75, 2.25, 2.5], [2.0, 2.25, 2.75, 3.0]]
        );
        let line = Planes::of_rows(1, 1, 3, &[0.0, 3.0, 6.0]).unwrap();
        assert_eq!(rows(&line.resized([2, 5])), vec![vec![0.0, 1.2, 3.0, 4.8, 6.0]; 2]);
        // Smaller: two samples, no averaging.
        assert_eq!(rows(&line.resized([1, 2])), [[0.75, 5.25]]);
        assert_eq!(rows(&line.resized([1, 1])), [[3.0]]);
        let dot = Planes::of_rows(1, 1, 1, &[7.0]).unwrap();
        assert_eq!(rows(&dot.resized([2, 3])), [[7.0; 3]; 2]);
    }

    #[test]
    fn parts_and_choices_keep_their_numbers() {
        let planes =
            Planes::of_rows(2, 2, 3, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0])
                .unwrap();
        let part = planes.part([1, 9], [1, 3]).unwrap();
        assert_eq!((part.size(), part.plane(0), part.plane(1)), ([1, 2], &[4.0, 5.0][..], &[14.0, 15.0][..]));
        assert!(planes.part([2, 2], [0, 3]).is_none());
        assert_eq!(rows(&planes.only(&[1])), [[10.0, 11.0, 12.0], [13.0, 14.0, 15.0]]);
        assert!(Planes::of_rows(2, 2, 3, &[0.0; 11]).is_none());
        assert!(Planes::of_rows(2, 0, 3, &[]).is_none());
    }
}
