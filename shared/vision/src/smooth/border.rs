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

/// The edge's own pixel, `aaaa|abcdefgh|hhhh` (OpenCV `BORDER_REPLICATE`).
pub(super) fn repeated(at: isize, length: usize) -> usize {
    at.clamp(0, length as isize - 1) as usize
}

/// A row of RGB samples with `radius` pixels on both sides that `beyond` chooses.
pub(super) fn padded_row(row: &[u8], radius: usize, beyond: fn(isize, usize) -> usize, into: &mut Vec<u8>) {
    into.resize(row.len() + 2 * radius * 3, 0);
    into[radius * 3..][..row.len()].copy_from_slice(row);
    pad(into, radius, beyond);
}

/// Fills the `radius` pixels on both sides of a row that has its own pixels already.
pub(super) fn pad<T: Copy>(padded: &mut [T], radius: usize, beyond: fn(isize, usize) -> usize) {
    let width = padded.len() / 3 - 2 * radius;
    let outside = (1..=radius as isize).flat_map(|far| [-far, width as isize - 1 + far]);
    for at in outside {
        let from = (beyond(at, width) + radius) * 3;
        padded.copy_within(from..from + 3, (at + radius as isize) as usize * 3);
    }
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

    #[test]
    fn rows_are_continued_on_both_sides() {
        let mut padded = Vec::new();
        padded_row(&[1, 1, 1, 2, 2, 2, 3, 3, 3], 2, mirrored, &mut padded);
        let first: Vec<_> = padded.iter().step_by(3).copied().collect();
        assert_eq!(first, [3, 2, 1, 2, 3, 2, 1]);
        padded_row(&[1, 1, 1, 2, 2, 2], 2, repeated, &mut padded);
        assert_eq!(padded.iter().step_by(3).copied().collect::<Vec<_>>(), [1, 1, 1, 2, 2, 2]);
    }
}
