//! Drawing: what must hold whatever is drawn.

use std::collections::BTreeSet;

use millrace_vision::{BoxStyle, ColorBy, Frame, LabelStyle, Mark, draw_boxes};
use proptest::prelude::*;
use serde_json::{Value, json};

fn mark(bbox: [f32; 4], class_id: i64) -> Mark {
    Mark { bbox, class_id, class_name: format!("class-{class_id}"), confidence: 0.9, tracker_id: None }
}

/// The first pixel that is not grey, row by row.
fn first_drawn(frame: &Frame) -> Option<[u8; 3]> {
    frame
        .pixels()
        .chunks_exact(3)
        .find(|pixel| **pixel != [128; 3])
        .map(|pixel| [pixel[0], pixel[1], pixel[2]])
}

fn grey(width: u32, height: u32) -> Frame {
    Frame::filled(width, height, [128; 3])
}

#[test]
fn a_class_keeps_its_colour_wherever_it_stands() {
    let style = BoxStyle { labels: LabelStyle::None, ..BoxStyle::default() };
    let alone = draw_boxes(&grey(100, 100), &[mark([20.0, 20.0, 80.0, 80.0], 3)], &style).unwrap();
    let other = mark([60.0, 60.0, 90.0, 90.0], 0);
    let second = draw_boxes(&grey(100, 100), &[other, mark([20.0, 20.0, 80.0, 80.0], 3)], &style).unwrap();
    assert_eq!(first_drawn(&alone), first_drawn(&second));

    let by_index = BoxStyle { color_by: ColorBy::Index, ..style.clone() };
    let indexed = draw_boxes(&grey(100, 100), &[mark([20.0, 20.0, 80.0, 80.0], 3)], &by_index).unwrap();
    assert_ne!(first_drawn(&alone), first_drawn(&indexed));

    let own = BoxStyle { palette: vec![[1, 2, 3]], ..style };
    let painted = draw_boxes(&grey(100, 100), &[mark([20.0, 20.0, 80.0, 80.0], 3)], &own).unwrap();
    assert_eq!(painted.pixel(50, 20), Some([1, 2, 3]));
}

/// The console shows boxes itself: its viewer is held against the same examples.
#[test]
fn the_consoles_viewer_has_the_colours_that_are_drawn() {
    let examples = include_str!("../../../../services/console/src/viewer/drawn.json");
    let examples: Vec<Value> = serde_json::from_str(examples).unwrap();
    let style = BoxStyle { labels: LabelStyle::None, ..BoxStyle::default() };
    for example in &examples {
        let class_name = example["class_name"].as_str().unwrap().to_owned();
        let class_id = example["class_id"].as_i64().unwrap();
        let mark = Mark { class_name, ..mark([10.0, 10.0, 30.0, 30.0], class_id) };
        let drawn = draw_boxes(&grey(40, 40), &[mark], &style).unwrap();
        assert_eq!(json!(drawn.pixel(20, 10)), example["rgb"], "{example}");
    }
    let colours: BTreeSet<String> = examples.iter().map(|example| example["rgb"].to_string()).collect();
    assert_eq!(colours.len(), 20, "every colour is among the examples");
}

#[test]
fn labels_stay_inside_and_are_drawn_even_at_the_edges() {
    let style = BoxStyle { palette: vec![[250, 0, 0]], ..BoxStyle::default() };
    // Boxes at every corner, and one as large as the picture: each label has to move to stay visible.
    let boxes = [
        [-5.0, -5.0, 30.0, 20.0],
        [170.0, 0.0, 205.0, 20.0],
        [0.0, 90.0, 30.0, 105.0],
        [0.0, 0.0, 200.0, 100.0],
    ];
    for bbox in boxes {
        let plain = BoxStyle { labels: LabelStyle::None, ..style.clone() };
        let without = draw_boxes(&grey(200, 100), &[mark(bbox, 1)], &plain).unwrap();
        let with = draw_boxes(&grey(200, 100), &[mark(bbox, 1)], &style).unwrap();
        let count = |frame: &Frame| {
            frame.pixels().chunks_exact(3).filter(|pixel| pixel[0] > 200 && pixel[1] < 60).count()
        };
        assert!(count(&with) > count(&without) + 300, "{bbox:?}: {} {}", count(&with), count(&without));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Boxes of any size and place, names of any length, on pictures of any size.
    #[test]
    fn nothing_that_is_drawn_panics(
        size in (0u32..90, 0u32..90),
        boxes in prop::collection::vec((prop::array::uniform4(-200.0f32..300.0), any::<i64>(), ".{0,40}"), 0..6),
        thickness in 0.0f32..200.0,
        text_scale in 0.0f32..20.0,
        roundness in 0.0f32..1.5,
    ) {
        let marks: Vec<Mark> = boxes
            .into_iter()
            .map(|(bbox, class_id, class_name)| Mark { bbox, class_id, class_name, confidence: 1.0, tracker_id: None })
            .collect();
        let labels = LabelStyle::ClassConfidence;
        let style = BoxStyle { thickness, text_scale, roundness, labels, ..BoxStyle::default() };
        let drawn = draw_boxes(&grey(size.0, size.1), &marks, &style).unwrap();
        prop_assert_eq!((drawn.width(), drawn.height()), size);
    }
}

#[test]
fn corners_that_are_no_numbers_are_left_out() {
    let style = BoxStyle::default();
    let marks = [mark([f32::NAN, 0.0, 10.0, 10.0], 1), mark([0.0, 0.0, f32::INFINITY, 10.0], 1)];
    assert_eq!(draw_boxes(&grey(20, 20), &marks, &style).unwrap(), grey(20, 20));
}
