//! A small mask in the picture's size, each pixel that of the nearest in the small one, as
//! `torch.nn.functional.interpolate(mode="nearest")` does it: `source = ⌊target × scale⌋`, in single precision.

use millrace_contracts::values::{Rle, RleRuns};

/// The mask whose pixels are given column by column, `height` in each, stretched to `[height, width]`; none when no pixel
/// of it is set.
pub(crate) fn stretched(columns: &[bool], height: usize, size: [u32; 2]) -> Option<Rle> {
    let width = columns.len() / height.max(1);
    let down: Vec<usize> = (0..size[0]).map(|y| source(y, height, size[0])).collect();
    let mut runs = RleRuns::new(size);
    let mut column: (usize, Vec<(u64, u32)>) = (usize::MAX, Vec::new());
    for x in 0..size[1] {
        let from = source(x, width, size[1]);
        if column.0 != from {
            column = (from, runs_in(&columns[from * height..(from + 1) * height], &down));
        }
        let start = u64::from(x) * u64::from(size[0]);
        column.1.iter().for_each(|&(at, count)| runs.ones(start + at, count));
    }
    (!runs.is_empty()).then(|| runs.finish())
}

/// The runs of what is set in one column of the target.
fn runs_in(column: &[bool], down: &[usize]) -> Vec<(u64, u32)> {
    let mut runs = Vec::new();
    let mut at = 0u64;
    for same in down.chunk_by(|a, b| column[*a] == column[*b]) {
        if column[same[0]] {
            runs.push((at, same.len() as u32));
        }
        at += same.len() as u64;
    }
    runs
}

fn source(target: u32, sources: usize, targets: u32) -> usize {
    let scale = sources as f32 / targets as f32;
    ((target as f32 * scale) as usize).min(sources.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_is_that_of_the_nearest() {
        // Columns: 1 0 | 0 1.
        let small = [true, false, false, true];
        let twice = stretched(&small, 2, [4, 4]).unwrap();
        assert_eq!(twice.rows(16).unwrap(), [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1]);
        let odd = stretched(&small, 2, [3, 3]).unwrap();
        assert_eq!(odd.rows(9).unwrap(), [1, 1, 0, 1, 1, 0, 0, 0, 1]);
        let one = stretched(&small, 2, [1, 1]).unwrap();
        assert_eq!(one.area(), 1);
        assert_eq!(stretched(&[false; 4], 2, [9, 9]), None);
        // Smaller: what is passed over may be all there was.
        assert_eq!(stretched(&[false, false, false, true], 2, [1, 1]), None);
    }
}
