//! Pixels beyond the edge.

/// The pixel that stands for position `at` on a side of `length` pixels: mirrored without repeating the edge,
/// `gfedcb|abcdefgh|gfedcba` (OpenCV `BORDER_REFLECT_101`).
pub(super) fn mirrored(at: isize, length: usize) -> usize {
    if length == 1 {
        return 0;
    }
    let period = 2 * (length as isize - 1);
    let at = at.rem_euclid(period);
    at.min(period - at) as usize
}

/// A row of RGB samples with `radius` mirrored pixels on both sides, as floats.
pub(super) fn padded_row(row: &[u8], radius: usize, into: &mut Vec<f32>) {
    let width = row.len() / 3;
    into.clear();
    let mut push = |x: usize| into.extend(row[x * 3..x * 3 + 3].iter().map(|&sample| f32::from(sample)));
    (-(radius as isize)..0).for_each(|at| push(mirrored(at, width)));
    (0..width).for_each(&mut push);
    (width..width + radius).for_each(|at| push(mirrored(at as isize, width)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_is_not_repeated() {
        let at = |range: std::ops::Range<isize>| range.map(|at| mirrored(at, 4)).collect::<Vec<_>>();
        assert_eq!(at(-4..8), [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(mirrored(-7, 1), 0);
    }
}
