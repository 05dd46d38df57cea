//! Which plane is the greatest at every pixel, as run lengths per plane.

use millrace_contracts::values::{Rle, RleRuns};

use super::Planes;

/// One plane's share of the picture.
pub(crate) struct Winner {
    /// Where it is the greatest.
    pub(crate) mask: Rle,
    /// Pixels at which it reaches the threshold, whether it is the greatest there or not.
    pub(crate) reached: u64,
}

/// For every plane the pixels of a `[height, width]` picture at which it is the greatest once enlarged; of equals the
/// first. None for planes that are nowhere the greatest.
///
/// This is `argmax` over `interpolate(…, mode="bilinear", align_corners=False)`; sums are rounded in another order than
/// torch's, so that a pixel where two planes are equal to seven digits may fall to the other.
#[must_use]
pub fn class_map(planes: &Planes, size: [u32; 2]) -> Vec<Option<Rle>> {
    let runs = column_runs(planes, size, |_, _| {});
    runs.into_iter().map(|runs| (!runs.is_empty()).then(|| runs.finish())).collect()
}

/// The same, with how far every plane reaches beyond `threshold`.
pub(crate) fn winners(planes: &Planes, size: [u32; 2], threshold: f32) -> Vec<Winner> {
    let mut reached = vec![0u64; planes.count()];
    let runs = column_runs(planes, size, |plane, value| reached[plane] += u64::from(value >= threshold));
    let masks = runs.into_iter().map(RleRuns::finish);
    masks.zip(reached).map(|(mask, reached)| Winner { mask, reached }).collect()
}

fn column_runs(planes: &Planes, size: [u32; 2], mut see: impl FnMut(usize, f32)) -> Vec<RleRuns> {
    let [height, width] = size.map(|side| side as usize);
    let mut runs = vec![RleRuns::new(size); planes.count()];
    let (mut best, mut winner) = (vec![0.0f32; height], vec![0u32; height]);
    // The run that is not over yet: whose it is, and where it began.
    let mut open: Option<(u32, u64)> = None;
    planes.each_column([height, width], 0..width, |x, blend| {
        best.fill(f32::NEG_INFINITY);
        winner.fill(0);
        for plane in 0..planes.count() {
            let own = plane as u32;
            for ((best, winner), value) in best.iter_mut().zip(&mut winner).zip(blend.column(plane)) {
                see(plane, value);
                // Written without a branch, so that it is done for several pixels at once.
                let greater = value > *best;
                *best = if greater { value } else { *best };
                *winner = if greater { own } else { *winner };
            }
        }
        let mut at = x as u64 * height as u64;
        for same in winner.chunk_by(|a, b| a == b) {
            if open.is_none_or(|(plane, _)| plane != same[0]) {
                close(&mut runs, open, at);
                open = Some((same[0], at));
            }
            at += same.len() as u64;
        }
    });
    close(&mut runs, open, height as u64 * width as u64);
    runs
}

fn close(runs: &mut [RleRuns], open: Option<(u32, u64)>, end: u64) {
    if let Some((plane, start)) = open {
        runs[plane as usize].ones(start, u32::try_from(end - start).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_pixel_goes_to_the_greatest_and_of_equals_to_the_first() {
        let planes = Planes::of_rows(3, 1, 3, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.5, 0.0, 1.0, 0.5]).unwrap();
        let map = class_map(&planes, [1, 3]);
        let counts: Vec<Option<Vec<u32>>> =
            map.into_iter().map(|mask| mask.map(|mask| mask.counts)).collect();
        assert_eq!(counts, [Some(vec![0, 1, 2]), Some(vec![1, 2]), None]);
    }

    #[test]
    fn a_single_class_has_every_pixel_and_one_pixel_one_class() {
        let all = class_map(&Planes::of_rows(1, 2, 2, &[-5.0; 4]).unwrap(), [7, 9]);
        assert_eq!(all[0].as_ref().unwrap().counts, [0, 63]);
        let dot =
            class_map(&Planes::of_rows(2, 2, 2, &[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]).unwrap(), [1, 1]);
        assert!(dot[0].is_none() && dot[1].as_ref().unwrap().area() == 1);
    }

    #[test]
    fn reaching_a_threshold_is_counted_whoever_wins() {
        let planes = Planes::of_rows(2, 1, 4, &[0.9, 0.6, 0.2, 0.2, 0.5, 0.7, 0.7, 0.3]).unwrap();
        let won = winners(&planes, [1, 4], 0.5);
        assert_eq!([won[0].mask.area(), won[0].reached, won[1].mask.area(), won[1].reached], [1, 2, 3, 3]);
    }

    proptest! {
        /// Against the plain way: enlarge everything, then look at each pixel.
        #[test]
        fn columns_give_what_the_whole_gives(
            (count, height, width, numbers) in (1usize..5, 1usize..6, 1usize..6).prop_flat_map(|(count, height, width)| {
                (Just(count), Just(height), Just(width), proptest::collection::vec(-3.0f32..3.0, count * height * width))
            }),
            target in (1u32..20, 1u32..20),
        ) {
            let planes = Planes::of_rows(count, height, width, &numbers).unwrap();
            let size = [target.0, target.1];
            let whole = planes.resized(size.map(|side| side as usize));
            let mut expected = vec![0u64; count];
            for place in 0..(target.0 * target.1) as usize {
                let mut best = 0;
                for plane in 1..count {
                    if whole.plane(plane)[place] > whole.plane(best)[place] {
                        best = plane;
                    }
                }
                expected[best] += 1;
            }
            let map = class_map(&planes, size);
            let areas: Vec<u64> = map.iter().map(|mask| mask.as_ref().map_or(0, Rle::area)).collect();
            prop_assert_eq!(areas, expected);
            prop_assert!(map.iter().flatten().all(|mask| mask.check().is_ok()));
        }
    }
}
