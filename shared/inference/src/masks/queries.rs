//! Masks of the mask-classification models (MaskFormer, Mask2Former): every query has scores for the classes, the last of
//! them "nothing", and a plane of mask logits. As `transformers`' image processors read them, version 4.57.

use millrace_contracts::values::Rle;

use super::{Planes, class_map, stretched, winners};
use crate::shares::{sigmoid, softmax};

/// A mask counts where its probability is at least this (`mask_threshold`).
const MASK_THRESHOLD: f32 = 0.5;
/// Of a panoptic segment more than this share must be left to it by the others (`overlap_mask_area_threshold`).
const OVERLAP_SHARE: f64 = 0.8;

/// What a model says of one picture.
pub(crate) struct Queries {
    /// Per query the probability of each class, the last one "nothing".
    probabilities: Vec<Vec<f32>>,
    /// Mask logits, one plane per query.
    masks: Planes,
}

/// A region that was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Region {
    pub(crate) class: usize,
    /// 0 to 1; none in a class map.
    pub(crate) score: Option<f32>,
    pub(crate) mask: Rle,
}

impl Queries {
    /// From the logits of the classes, `classes` and "nothing" per query, and the planes of as many queries. None when
    /// the numbers do not go together.
    pub(crate) fn new(class_logits: &[f32], classes: usize, masks: Planes) -> Option<Self> {
        let row = classes + 1;
        let fits = class_logits.len() == masks.count() * row && classes > 0;
        let shares = |logits: &[f32]| {
            let mut shares = logits.to_vec();
            softmax(&mut shares);
            shares
        };
        fits.then(|| Self { probabilities: class_logits.chunks_exact(row).map(shares).collect(), masks })
    }

    /// The planes in another size: Mask2Former's are read at 384 × 384 whatever they come in.
    pub(crate) fn resized(mut self, size: [usize; 2]) -> Self {
        self.masks = self.masks.resized(size);
        self
    }

    fn classes(&self) -> usize {
        self.probabilities.first().map_or(0, |row| row.len() - 1)
    }

    /// Every pixel to the class that all queries together give it.
    pub(crate) fn semantic(mut self, size: [u32; 2]) -> Vec<Region> {
        self.masks.map(sigmoid);
        let [height, width] = self.masks.size();
        let mut sums = Planes::blank(self.classes(), [height, width]);
        for (class, sum) in sums.planes_mut().enumerate() {
            for (query, row) in self.probabilities.iter().enumerate() {
                let weight = row[class];
                for (sum, value) in sum.iter_mut().zip(self.masks.plane(query)) {
                    *sum += weight * value;
                }
            }
        }
        drop(self);
        let map = class_map(&sums, size).into_iter().enumerate();
        map.filter_map(|(class, mask)| mask.map(|mask| Region { class, score: None, mask })).collect()
    }

    /// Instances with a score of at least `threshold`, best first. They may overlap.
    ///
    /// As many pairs of query and class as there are queries compete; a mask's own certainty counts into its score.
    pub(crate) fn instances(&self, size: [u32; 2], threshold: f32) -> Vec<Region> {
        let classes = self.classes();
        let score = |pair: usize| self.probabilities[pair / classes][pair % classes];
        let mut pairs: Vec<usize> = (0..self.masks.count() * classes).collect();
        pairs.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
        pairs.truncate(self.masks.count());
        let mut regions: Vec<Region> = Vec::new();
        for pair in pairs {
            let plane = self.masks.plane(pair / classes);
            let score = score(pair) * certainty(plane);
            // NaN is no score.
            if !matches!(score.partial_cmp(&threshold), Some(order) if order.is_ge()) {
                continue;
            }
            let set: Vec<bool> = plane.iter().map(|&logit| logit > 0.0).collect();
            if let Some(mask) = stretched(&set, self.masks.size()[0], size) {
                regions.push(Region { class: pair % classes, score: Some(score), mask });
            }
        }
        regions.sort_by(|a, b| b.score.unwrap_or(0.0).total_cmp(&a.score.unwrap_or(0.0)));
        regions
    }

    /// Segments that do not overlap, of queries whose best class has a score above `threshold`; best first.
    pub(crate) fn panoptic(&self, size: [u32; 2], threshold: f32) -> Vec<Region> {
        let best = |row: &Vec<f32>| {
            let greatest = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
            greatest.map_or((0, 0.0), |(class, score)| (class, *score))
        };
        let ranked = self.probabilities.iter().map(best).enumerate();
        let kept: Vec<(usize, (usize, f32))> =
            ranked.filter(|(_, (class, score))| *class < self.classes() && *score > threshold).collect();
        if kept.is_empty() {
            return Vec::new();
        }
        let queries: Vec<usize> = kept.iter().map(|(query, _)| *query).collect();
        let mut planes = self.masks.only(&queries);
        for (plane, (_, (_, score))) in planes.planes_mut().zip(&kept) {
            plane.iter_mut().for_each(|logit| *logit = sigmoid(*logit) * score);
        }
        let mut regions = Vec::new();
        for (won, (_, (class, score))) in winners(&planes, size, MASK_THRESHOLD).into_iter().zip(kept) {
            let area = won.mask.area();
            if area > 0 && won.reached > 0 && area as f64 / won.reached as f64 > OVERLAP_SHARE {
                regions.push(Region { class, score: Some(score), mask: won.mask });
            }
        }
        regions.sort_by(|a, b| b.score.unwrap_or(0.0).total_cmp(&a.score.unwrap_or(0.0)));
        regions
    }
}

/// The mean probability where the mask is set.
fn certainty(plane: &[f32]) -> f32 {
    let set = plane.iter().filter(|logit| **logit > 0.0);
    let (sum, count) =
        set.fold((0.0f64, 0u32), |(sum, count), &logit| (sum + f64::from(sigmoid(logit)), count + 1));
    (sum / (f64::from(count) + 1e-6)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two queries over two classes: one sure of class 1 on the left half, one rather of class 0 on the right.
    fn two() -> Queries {
        let classes = [0.0, 9.0, 0.0, 2.0, 0.0, 1.0];
        let masks = [8.0, 8.0, -8.0, -8.0, -4.0, -4.0, 4.0, 4.0];
        Queries::new(&classes, 2, Planes::of_rows(2, 1, 4, &masks).unwrap()).unwrap()
    }

    #[test]
    fn a_class_map_covers_every_pixel() {
        let map = two().semantic([2, 4]);
        let areas: Vec<(usize, u64)> = map.iter().map(|region| (region.class, region.mask.area())).collect();
        assert_eq!(areas, [(0, 4), (1, 4)]);
        assert!(map.iter().all(|region| region.score.is_none()));
    }

    #[test]
    fn instances_need_their_score() {
        // softmax(2, 0, 1) = 0.665, 0.090, 0.245; the mask's own certainty is 0.982.
        let all = two().instances([1, 4], 0.6);
        assert_eq!(all.iter().map(|region| region.class).collect::<Vec<_>>(), [1, 0]);
        assert!((all[1].score.unwrap() - 0.665 * 0.982).abs() < 1e-3);
        assert_eq!(two().instances([1, 4], 0.7).len(), 1);
        assert!(two().instances([1, 4], 1.1).is_empty());
    }

    #[test]
    fn panoptic_segments_do_not_overlap_and_small_rests_go() {
        let parts = two().panoptic([1, 4], 0.5);
        assert_eq!(parts.iter().map(|region| region.mask.area()).collect::<Vec<_>>(), [2, 2]);
        // The second query now reaches over all of the picture, and keeps only half of what it reaches.
        let classes = [0.0, 9.0, 0.0, 5.0, 0.0, 0.0];
        let masks = [8.0, 8.0, -8.0, -8.0, 4.0, 4.0, 4.0, 4.0];
        let greedy = Queries::new(&classes, 2, Planes::of_rows(2, 1, 4, &masks).unwrap()).unwrap();
        assert_eq!(greedy.panoptic([1, 4], 0.5).iter().map(|region| region.class).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn nothing_and_no_number_are_no_segment() {
        let nothing = [0.0, 0.0, 9.0, 0.0, 0.0, 9.0];
        let planes = || Planes::of_rows(2, 1, 1, &[5.0, 5.0]).unwrap();
        let queries = Queries::new(&nothing, 2, planes()).unwrap();
        assert!(queries.panoptic([3, 3], 0.1).is_empty());
        let lost = Queries::new(&[f32::NAN; 6], 2, planes()).unwrap();
        assert!(lost.instances([3, 3], 0.0).is_empty() && lost.panoptic([3, 3], 0.0).is_empty());
        assert!(Queries::new(&[0.0; 5], 2, planes()).is_none());
    }
}
