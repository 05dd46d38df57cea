//! Comparing with goldens.

use millrace_inference::{Found, Tensor};
use serde_json::Value;

/// How far a result may be from its golden.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tolerance {
    /// Single elements of a tensor.
    pub(crate) sample: f64,
    /// Mean and standard deviation of a tensor.
    pub(crate) mean: f64,
    /// Corners of a box, pixels.
    pub(crate) box_px: f64,
    /// Scores.
    pub(crate) score: f64,
}

/// Whether a tensor has the shape, mean, spread and samples of a golden's summary.
pub(crate) fn tensor_is_like(tensor: &Tensor, summary: &Value, tolerance: Tolerance, name: &str) {
    let number = |value: &Value| value.as_f64().unwrap();
    let shape: Vec<u64> = tensor.shape().iter().map(|&side| side as u64).collect();
    assert_eq!(Value::from(shape), summary["shape"], "{name}");
    let count = tensor.data().len() as f64;
    let mean = tensor.data().iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let spread = tensor.data().iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
    assert!((mean - number(&summary["mean"])).abs() < tolerance.mean, "{name}: mean {mean}");
    assert!(
        (spread.sqrt() - number(&summary["std"])).abs() < tolerance.mean,
        "{name}: std {}",
        spread.sqrt()
    );
    for sample in summary["samples"].as_array().unwrap() {
        let index = sample[0].as_array().unwrap().iter().zip(tensor.shape());
        let place = index.fold(0, |place, (index, side)| place * side + index.as_u64().unwrap() as usize);
        let (value, expected) = (f64::from(tensor.data()[place]), number(&sample[1]));
        assert!((value - expected).abs() <= tolerance.sample, "{name}: {sample} is {value}");
    }
}

/// Whether the boxes are the golden's, in whatever order.
pub(crate) fn boxes_are_like(found: &[Found], expected: &Value, tolerance: Tolerance, name: &str) {
    let list = |key: &str| expected[key].as_array().unwrap();
    assert_eq!(found.len(), list("boxes").len(), "{name}: {found:#?}");
    // Where two scores are closer than the tolerance their order may swap: each box finds its own expected one.
    let mut free: Vec<usize> = (0..found.len()).collect();
    for one in found {
        let distance = |place: &usize| {
            let corners = list("boxes")[*place].as_array().unwrap().iter().zip(one.bbox);
            corners.map(|(want, have)| (want.as_f64().unwrap() - f64::from(have)).abs()).fold(0.0, f64::max)
        };
        let label = |place: &&usize| list("labels")[**place].as_u64() == Some(one.class_id as u64);
        let candidates = free.iter().filter(label);
        let nearest = candidates.min_by(|a, b| distance(a).total_cmp(&distance(b))).copied();
        let place = nearest.unwrap_or_else(|| panic!("{name}: no {} is left for {one:?}", one.class_name));
        assert!(distance(&place) < tolerance.box_px, "{name}: {one:?} is {} px off", distance(&place));
        let score = list("scores")[place].as_f64().unwrap();
        assert!((score - f64::from(one.confidence)).abs() < tolerance.score, "{name}: {one:?} ~ {score}");
        assert_eq!(list("names")[place], *one.class_name, "{name}");
        free.retain(|other| *other != place);
    }
}
