//! Mean average precision at one overlap: 101 points of recall, precision made monotone, as COCO does it.

use serde_json::Value;

type Corners = [f64; 4];

/// What is on one picture, and what was found on it.
pub(crate) struct Scene {
    truth: Vec<(Corners, usize)>,
    found: Vec<(Corners, f64, usize)>,
}

fn corners(value: &Value) -> Corners {
    std::array::from_fn(|corner| value[corner].as_f64().unwrap())
}

impl Scene {
    pub(crate) fn new(facts: &Value, found: impl Iterator<Item = (Corners, f64, usize)>) -> Self {
        let boxes = facts["boxes"].as_array().unwrap().iter().map(corners);
        let labels = facts["labels"].as_array().unwrap().iter().map(|label| label.as_u64().unwrap() as usize);
        Self { truth: boxes.zip(labels).collect(), found: found.collect() }
    }

    pub(crate) fn of_golden(facts: &Value, expected: &Value) -> Self {
        let list = |key: &str| expected[key].as_array().unwrap().clone();
        let rows = list("boxes").into_iter().zip(list("scores")).zip(list("labels"));
        let found = rows.map(|((bbox, score), label)| {
            (corners(&bbox), score.as_f64().unwrap(), label.as_u64().unwrap() as usize)
        });
        Self::new(facts, found)
    }
}

/// The mean over the classes that occur.
pub(crate) fn mean_average_precision(scenes: &[Scene], classes: usize, overlap: f64) -> f64 {
    let per_class: Vec<f64> =
        (0..classes).filter_map(|class| average_precision(scenes, class, overlap)).collect();
    per_class.iter().sum::<f64>() / per_class.len() as f64
}

fn average_precision(scenes: &[Scene], class: usize, overlap: f64) -> Option<f64> {
    let mut hits: Vec<(f64, bool)> = Vec::new();
    let mut positives = 0;
    for scene in scenes {
        let truth: Vec<Corners> =
            scene.truth.iter().filter(|(_, label)| *label == class).map(|(bbox, _)| *bbox).collect();
        positives += truth.len();
        let mut used = vec![false; truth.len()];
        let mut found: Vec<&(Corners, f64, usize)> =
            scene.found.iter().filter(|(.., label)| *label == class).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (bbox, score, _) in found {
            let free = (0..truth.len()).filter(|&place| !used[place]);
            let best =
                free.map(|place| (place, shared(bbox, &truth[place]))).max_by(|a, b| a.1.total_cmp(&b.1));
            let hit = best.filter(|(_, value)| *value >= overlap);
            if let Some((place, _)) = hit {
                used[place] = true;
            }
            hits.push((*score, hit.is_some()));
        }
    }
    if positives == 0 {
        return None;
    }
    hits.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut curve: Vec<(f64, f64)> = Vec::with_capacity(hits.len());
    let mut right = 0;
    for (number, (_, hit)) in hits.iter().enumerate() {
        right += usize::from(*hit);
        curve.push((right as f64 / positives as f64, right as f64 / (number + 1) as f64));
    }
    let at =
        |recall: f64| curve.iter().filter(|(have, _)| *have >= recall).map(|(_, p)| *p).fold(0.0, f64::max);
    Some((0..=100).map(|point| at(f64::from(point) / 100.0)).sum::<f64>() / 101.0)
}

fn shared(a: &Corners, b: &Corners) -> f64 {
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let area = |c: &Corners| (c[2] - c[0]) * (c[3] - c[1]);
    width * height / (area(a) + area(b) - width * height)
}
