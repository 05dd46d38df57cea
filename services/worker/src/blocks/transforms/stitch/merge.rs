//! Two ways to make one box of several that are of one thing. Both go through the boxes from the most confident one on,
//! and both keep the order in which the boxes came.

use std::collections::HashMap;

use millrace_contracts::values::Detection;

use crate::blocks::transforms::compared::Compared;

/// When two boxes are of one thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Same {
    /// Intersection over union.
    pub(crate) iou: f32,
    /// Only within a class.
    pub(crate) class_aware: bool,
}

/// Non-maximum suppression: a box goes when it overlaps a more confident one that stays by more than the threshold.
pub(crate) fn suppressed(items: Vec<Detection>, same: Same) -> Vec<Detection> {
    let stays = groups(&items, same.class_aware, |overlap| overlap > same.iou);
    let mut kept = vec![false; items.len()];
    stays.iter().for_each(|group| kept[group[0]] = true);
    items.into_iter().zip(kept).filter_map(|(item, kept)| kept.then_some(item)).collect()
}

/// Non-maximum merging: the boxes that overlap the most confident one (the seed) by the threshold or more become one: the
/// box around all of them, the mean of their confidences weighted by area, everything else the seed's.
pub(crate) fn merged(items: &[Detection], same: Same) -> Vec<Detection> {
    let mut groups = groups(items, same.class_aware, |overlap| overlap >= same.iou);
    groups.sort_by_key(|group| group[0]);
    groups.iter().map(|group| united(items, group)).collect()
}

/// Groups of positions, each with its seed first. The seed is the most confident that is left; of equals, the first.
fn groups(items: &[Detection], class_aware: bool, belongs: impl Fn(f32) -> bool) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|&a, &b| items[b].confidence.total_cmp(&items[a].confidence));
    // Side by side in the order in which they are gone through, classes as numbers: there are very many pairs.
    let mut classes: HashMap<(i64, &str), usize> = HashMap::new();
    let mut class = |item| {
        let next = classes.len();
        if class_aware { *classes.entry(class_of(item)).or_insert(next) } else { 0 }
    };
    let boxes: Vec<(Compared, usize)> =
        order.iter().map(|&at| (Compared::of(&items[at]), class(&items[at]))).collect();
    let mut taken = vec![false; items.len()];
    let mut groups = Vec::new();
    for (rank, (seed, class)) in boxes.iter().enumerate() {
        if std::mem::replace(&mut taken[rank], true) {
            continue;
        }
        let mut group = vec![order[rank]];
        for (later, (other, other_class)) in boxes.iter().enumerate().skip(rank + 1) {
            if !taken[later] && class == other_class && belongs(seed.iou(other)) {
                taken[later] = true;
                group.push(order[later]);
            }
        }
        groups.push(group);
    }
    groups
}

fn class_of(item: &Detection) -> (i64, &str) {
    (item.class_id, item.class_name.as_str())
}

fn united(items: &[Detection], group: &[usize]) -> Detection {
    let seed = &items[group[0]];
    let members = || group.iter().map(|&at| &items[at]);
    let area: f32 = members().map(Detection::area).sum();
    let weighed: f32 = members().map(|item| item.area() * item.confidence).sum();
    let [mut x1, mut y1, mut x2, mut y2] = seed.bbox;
    for item in members() {
        (x1, y1) = (x1.min(item.bbox[0]), y1.min(item.bbox[1]));
        (x2, y2) = (x2.max(item.bbox[2]), y2.max(item.bbox[3]));
    }
    let confidence = if area > 0.0 { weighed / area } else { seed.confidence };
    Detection { bbox: [x1, y1, x2, y2], confidence, ..seed.clone() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(class_id: i64, confidence: f32, bbox: [f32; 4]) -> Detection {
        serde_json::from_value(json!({"class_id": class_id, "confidence": confidence, "bbox": bbox})).unwrap()
    }

    const SAME: Same = Same { iou: 0.3, class_aware: true };

    /// Three boxes in a row, 10 × 10 each, shifted by 4: neighbours overlap by 60 of 140, the outer two by 20 of 180.
    fn row() -> Vec<Detection> {
        vec![
            found(0, 0.6, [0.0, 0.0, 10.0, 10.0]),
            found(0, 0.9, [4.0, 0.0, 14.0, 10.0]),
            found(0, 0.8, [8.0, 0.0, 18.0, 10.0]),
        ]
    }

    #[test]
    fn suppression_keeps_the_best_and_the_order() {
        let boxes = |items: Vec<Detection>| items.into_iter().map(|item| item.bbox[0]).collect::<Vec<_>>();
        assert_eq!(boxes(suppressed(row(), SAME)), [4.0]);
        // 60/140 = 0.4286 is not more than itself.
        let exactly = Same { iou: 60.0 / 140.0, ..SAME };
        assert_eq!(boxes(suppressed(row(), exactly)), [0.0, 4.0, 8.0]);
        let mut mixed = row();
        mixed[1].class_id = 1;
        assert_eq!(boxes(suppressed(mixed.clone(), SAME)), [0.0, 4.0, 8.0]);
        assert_eq!(boxes(suppressed(mixed, Same { class_aware: false, ..SAME })), [4.0]);
        assert!(suppressed(Vec::new(), SAME).is_empty());
    }

    #[test]
    fn merging_unites_with_the_seed_only() {
        let all = merged(&row(), SAME);
        assert_eq!((all.len(), all[0].bbox), (1, [0.0, 0.0, 18.0, 10.0]));
        assert!((all[0].confidence - (0.6 + 0.9 + 0.8) / 3.0).abs() < 1e-6);
        // The overlap that is asked for is enough.
        assert_eq!(merged(&row(), Same { iou: 60.0 / 140.0, ..SAME }).len(), 1);
        assert_eq!(merged(&row(), Same { iou: 0.43, ..SAME }).len(), 3);
        // Confidence weighs by area: 100 square pixels at 0.9, 400 at 0.4.
        let pair = vec![found(0, 0.9, [0.0, 0.0, 10.0, 10.0]), found(0, 0.4, [0.0, 0.0, 20.0, 20.0])];
        let one = merged(&pair, Same { iou: 0.25, ..SAME });
        assert_eq!(one[0].bbox, [0.0, 0.0, 20.0, 20.0]);
        assert!((one[0].confidence - 0.5).abs() < 1e-6);
    }
}
