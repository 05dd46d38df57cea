//! The laws of the maps: what is found on a derived picture leads back to where it was.

use millrace_contracts::BlobId;
use millrace_contracts::values::Lineage;
use millrace_vision::{
    Filter, FitMode, Flip, Frame, PixelBox, Rotation, Target, VisionError, crop, plan_resize, resize,
};
use proptest::prelude::*;

const MODES: [FitMode; 4] = [FitMode::Stretch, FitMode::Fit, FitMode::Letterbox, FitMode::Fill];

proptest! {
    /// Crop, then resize in any mode: a point of the result maps to the root and back within half a pixel.
    #[test]
    fn crop_and_resize_lead_back_to_the_root(
        size in (1u32..2000, 1u32..2000),
        corners in (0.0f64..1.0, 0.0f64..1.0, 0.0f64..1.0, 0.0f64..1.0),
        target in (1u32..1500, 1u32..1500),
        mode in prop::sample::select(&MODES[..]),
        point in (0.0f64..1.0, 0.0f64..1.0),
    ) {
        let (width, height) = (f64::from(size.0), f64::from(size.1));
        let (x1, x2) = (corners.0.min(corners.2) * width, corners.0.max(corners.2) * width);
        let (y1, y2) = (corners.1.min(corners.3) * height, corners.1.max(corners.3) * height);
        let part = PixelBox::from_corners([x1, y1, x2, y2], size);
        prop_assume!(!part.is_empty());
        let root = Lineage::root(BlobId::of(b"root"), size.0, size.1);
        let cut = root.derive(part.to_parent());
        let target = Target { width: Some(target.0), height: Some(target.1) };
        let placed = plan_resize((part.width, part.height), target, mode);
        let scaled = cut.derive(placed.to_parent());

        // A point inside the scaled part, in result pixels.
        let x = f64::from(placed.offset.0) + point.0 * f64::from(placed.scaled.0);
        let y = f64::from(placed.offset.1) + point.1 * f64::from(placed.scaled.1);
        let (root_x, root_y) = scaled.point_to_root(x, y);
        let inside = |value: f64, start: u32, extent: u32| {
            value > f64::from(start) - 0.5 && value < f64::from(start + extent) + 0.5
        };
        prop_assert!(inside(root_x, part.x, part.width) && inside(root_y, part.y, part.height));
        let (back_x, back_y) = scaled.point_from_root(root_x, root_y).unwrap();
        prop_assert!((back_x - x).abs() < 0.5 && (back_y - y).abs() < 0.5);
    }

    /// Pictures of any size, one pixel high or wide among them, turn by any angle; all of one colour stays so.
    #[test]
    fn every_size_can_be_turned_by_any_angle(
        size in (1u32..40, 1u32..40),
        degrees in -400.0f64..400.0,
        expand in any::<bool>(),
    ) {
        let frame = Frame::filled(size.0, size.1, [10, 20, 30]);
        let turned = Rotation { degrees, expand, flip: Flip::default(), fill: [10, 20, 30] }.paint(&frame);
        prop_assert!(turned.pixels().as_chunks().0.iter().all(|pixel| *pixel == [10, 20, 30]));
        prop_assert!(expand || (turned.width(), turned.height()) == size);
    }

    /// A box on the source, put on the canvas and brought back, is the same box.
    #[test]
    fn boxes_survive_the_canvas(
        size in (1u32..4000, 1u32..4000),
        corners in (0.0f32..1.0, 0.0f32..1.0, 0.0f32..1.0, 0.0f32..1.0),
        mode in prop::sample::select(&[FitMode::Stretch, FitMode::Fit, FitMode::Letterbox][..]),
    ) {
        let (width, height) = (size.0 as f32, size.1 as f32);
        let given = [corners.0 * width, corners.1 * height, corners.2 * width, corners.3 * height];
        let placed = plan_resize(size, Target { width: Some(320), height: Some(320) }, mode);
        let back = placed.box_to_source(placed.box_to_canvas(given));
        for (back, given) in back.iter().zip(given) {
            prop_assert!((back - given).abs() < 0.05, "{:?} {}", back, given);
        }
    }

    /// Any size to any size, none and one pixel among them, gives what was planned.
    #[test]
    fn every_size_can_be_asked_for(
        size in (0u32..40, 0u32..40),
        target in (prop::option::of(1u32..50), prop::option::of(1u32..50)),
        mode in prop::sample::select(&MODES[..]),
    ) {
        let frame = Frame::filled(size.0, size.1, [10, 20, 30]);
        let placed = plan_resize(size, Target { width: target.0, height: target.1 }, mode);
        match placed.paint(&frame, Filter::Bilinear, [114; 3]) {
            Ok(result) => prop_assert_eq!((result.width(), result.height()), placed.canvas),
            Err(refused) => {
                let expected = frame.is_empty() && matches!(refused, VisionError::Empty { .. });
                prop_assert!(expected, "{}", refused);
            }
        }
    }
}

#[test]
fn quarter_turns_and_mirrors_move_every_pixel_and_change_none() {
    for (width, height) in [(1, 1), (3, 2), (2, 5), (70, 67), (133, 64)] {
        let pixels = (0..width * height).flat_map(|n| [n as u8, (n >> 8) as u8, 7]).collect();
        let frame = Frame::new(width, height, pixels).unwrap();
        for (quarters, horizontal, vertical) in
            (0..4).flat_map(|turn| [(turn, false, false), (turn, true, false), (turn, false, true)])
        {
            let flip = Flip { horizontal, vertical };
            let degrees = f64::from(quarters) * 90.0;
            let turned = Rotation { degrees, expand: true, flip, fill: [255; 3] }.paint(&frame);
            let size = if quarters % 2 == 0 { (width, height) } else { (height, width) };
            assert_eq!((turned.width(), turned.height()), size, "{width} × {height} by {degrees}");
            for (x, y) in (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y))) {
                let unflipped =
                    (if horizontal { size.0 - 1 - x } else { x }, if vertical { size.1 - 1 - y } else { y });
                // Counter-clockwise: the right edge becomes the upper one.
                let source = match (quarters, unflipped) {
                    (1, (x, y)) => (width - 1 - y, x),
                    (2, (x, y)) => (width - 1 - x, height - 1 - y),
                    (3, (x, y)) => (y, height - 1 - x),
                    (_, (x, y)) => (x, y),
                };
                assert_eq!(
                    turned.pixel(x, y),
                    frame.pixel(source.0, source.1),
                    "({x}, {y}) by {degrees}, {flip:?}"
                );
            }
        }
    }
}

#[test]
fn quarter_turns_on_the_same_canvas_change_no_pixel_either() {
    for (width, height) in [(51, 40), (50, 40), (40, 51), (1, 6), (7, 7)] {
        let pixels = (0..width * height).flat_map(|n| [n as u8, (n >> 8) as u8, 7]).collect();
        let frame = Frame::new(width, height, pixels).unwrap();
        for (degrees, horizontal) in [90.0, 180.0, 270.0].into_iter().flat_map(|by| [(by, false), (by, true)])
        {
            let rotation = Rotation {
                degrees,
                expand: false,
                flip: Flip { horizontal, vertical: false },
                fill: [255; 3],
            };
            let turned = rotation.paint(&frame);
            let plan = rotation.plan((width, height));
            let [a, b, c, d, e, f] = plan.to_parent;
            assert_eq!((turned.width(), turned.height()), (width, height));
            let mut shown = 0;
            for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
                let (right, down) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
                let (from_x, from_y) = (a * right + b * down + c - 0.5, d * right + e * down + f - 0.5);
                let inside =
                    (0.0..f64::from(width)).contains(&from_x) && (0.0..f64::from(height)).contains(&from_y);
                let expected =
                    if inside { frame.pixel(from_x as u32, from_y as u32) } else { Some([255; 3]) };
                assert_eq!(turned.pixel(x, y), expected, "({x}, {y}) of {width} × {height} by {degrees}");
                shown += u32::from(inside);
            }
            let side = width.min(height);
            assert!(shown >= side * side.saturating_sub(1), "{shown} of {width} × {height} by {degrees}");
        }
    }
}

#[test]
fn the_four_modes_give_the_four_shapes() {
    let plan = |mode| plan_resize((640, 480), Target { width: Some(300), height: Some(300) }, mode);
    assert_eq!(plan(FitMode::Stretch).canvas, (300, 300));
    assert_eq!(plan(FitMode::Fit).canvas, (300, 225));
    let boxed = plan(FitMode::Letterbox);
    assert_eq!((boxed.canvas, boxed.scaled, boxed.offset), ((300, 300), (300, 225), (0, 37)));
    let filled = plan(FitMode::Fill);
    assert_eq!((filled.canvas, filled.used), ((300, 300), [80.0, 0.0, 480.0, 480.0]));
    let follow = plan_resize((640, 480), Target { width: Some(320), height: None }, FitMode::Stretch);
    assert_eq!(follow.canvas, (320, 240));
}

#[test]
fn pixels_land_where_the_map_says() {
    // A white square on black, cut out and doubled: its corner must be where the map puts it.
    let mut pixels = vec![0u8; 40 * 30 * 3];
    for y in 10..20 {
        for x in 12..22 {
            pixels[(y * 40 + x) * 3..][..3].fill(255);
        }
    }
    let frame = Frame::new(40, 30, pixels).unwrap();
    let part = PixelBox { x: 8, y: 6, width: 20, height: 20 };
    let doubled = resize(&crop(&frame, part), 40, 40, Filter::Nearest).unwrap();
    assert_eq!(doubled.pixel(8, 8), Some([255; 3]));
    assert_eq!(doubled.pixel(7, 8), Some([0; 3]));
    assert_eq!(doubled.pixel(27, 27), Some([255; 3]));
    assert_eq!(doubled.pixel(28, 27), Some([0; 3]));
}
