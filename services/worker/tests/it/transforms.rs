//! Pictures in, pictures out: what every transform has to bear.

use millrace_contracts::ErrorKind;
use millrace_contracts::values::{Detections, ImageValue, Masks, Rle};
use millrace_vision::{Encoding, Frame, Limits, decode, decode_over, encode};
use serde_json::{Value, json};

use crate::desk::{Desk, Done, on, repository, settings};
use crate::{goldens, scene};

fn image_of(done: &Done) -> ImageValue {
    ImageValue::from_value(&done.outputs["image"]).unwrap()
}

async fn pixels(desk: &Desk, image: &ImageValue) -> Frame {
    decode(&desk.blobs.get(image.blob).await.unwrap(), &Limits::default()).unwrap()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    encode(&Frame::filled(width, height, [200, 100, 50]), Encoding::Png).unwrap()
}

/// Boxes inside, over the edge, outside, without an area, and none at all.
fn boxes(image: &ImageValue) -> [Value; 2] {
    let item = |bbox: [f32; 4]| json!({"bbox": bbox, "class_name": "star", "class_id": 0});
    let items =
        [[0.0, 0.0, 1.0, 1.0], [-5.0, -5.0, 9.0, 9.0], [900.0, 900.0, 950.0, 950.0], [3.0, 3.0, 3.0, 3.0]];
    let set = |items: Vec<Value>| json!({"image_id": image.blob, "width": image.width, "height": image.height, "items": items});
    [set(Vec::new()), set(items.map(item).to_vec())]
}

/// Every transform that takes a picture, with settings that reach each of its ways.
fn picture_transforms() -> Vec<(&'static str, Value)> {
    let mut all = vec![
        ("rotate_flip@1", json!({"degrees": 33.3, "flip": "both"})),
        ("rotate_flip@1", json!({"degrees": 90, "expand": false})),
        ("normalize@1", json!({"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]})),
    ];
    for equalize in ["histogram", "clahe", "stretch"] {
        all.push(("normalize@1", json!({"equalize": equalize})));
    }
    for method in ["average", "gaussian", "median", "bilateral"] {
        all.push(("smoothing@1", json!({"method": method, "kernel_size": 8})));
    }
    all
}

/// Every transform that takes a picture and detections.
fn detection_transforms() -> Vec<(&'static str, Value)> {
    let mut all = vec![
        ("draw_boxes@1", json!({})),
        ("draw_masks@1", json!({"outline": 1})),
        ("heatmap@1", json!({"weight_by": "confidence", "anchor": "bottom_center"})),
    ];
    for method in ["gaussian", "box", "pixelate"] {
        all.push(("blur_region@1", json!({"method": method, "shape": "ellipse", "padding": "20%"})));
    }
    all
}

#[tokio::test]
async fn the_smallest_picture_goes_through_every_transform() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    for (width, height) in [(1, 1), (1, 9), (23, 2)] {
        let image = desk.image(png(width, height)).await;
        for (task, config) in picture_transforms() {
            let done = desk.run(Desk::job(task, on(&image), config.clone())).await;
            let made = image_of(&done.unwrap_or_else(|error| panic!("{task} {config}: {error}")));
            assert_eq!(made.lineage.root, image.blob, "{task}");
        }
        for (task, config) in detection_transforms() {
            for detections in boxes(&image) {
                let inputs = json!({"image": image, "detections": detections});
                let done = desk.run(Desk::job(task, inputs, config.clone())).await;
                let made = image_of(&done.unwrap_or_else(|error| panic!("{task} {config}: {error}")));
                assert_eq!((made.width, made.height, made.lineage), (width, height, image.lineage), "{task}");
            }
        }
    }
    worker.stop().await;
}

#[tokio::test]
async fn what_is_transparent_keeps_its_colour_or_shows_the_background() {
    let picture = std::fs::read(goldens().join("formats/alpha.png")).unwrap();
    for background in [None, Some([32, 96, 192])] {
        let mut desk = Desk::open().await;
        let settings = millrace_config::Worker { background, ..settings() };
        let worker = desk.worker_as(settings, repository()).await;
        let image = desk.image(picture.clone()).await;
        let config = json!({"flip": "horizontal"});
        let flipped = image_of(&desk.run(Desk::job("rotate_flip@1", on(&image), config)).await.unwrap());
        let flipped = pixels(&desk, &flipped).await;
        let expected = decode_over(&picture, &Limits::default(), background).unwrap();
        for y in 0..image.height {
            assert_eq!(flipped.pixel(0, y), expected.pixel(image.width - 1, y), "{background:?} in row {y}");
        }
        worker.stop().await;
    }
}

#[tokio::test]
async fn detections_follow_a_turn_back_to_the_root() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let crop = json!({"mode": "absolute", "region": [100, 60, 500, 400]});
    let crop = image_of(&desk.run(Desk::job("crop@1", on(&image), crop)).await.unwrap());
    let small = image_of(&desk.run(Desk::job("resize@1", on(&crop), json!({"width": 200}))).await.unwrap());
    for degrees in [90.0, 180.0, 270.0, 30.0] {
        let config = json!({"degrees": degrees, "flip": "horizontal"});
        let turned = image_of(&desk.run(Desk::job("rotate_flip@1", on(&small), config)).await.unwrap());
        // The point in the middle of the turned picture is the one in the middle of the crop.
        let middle =
            turned.lineage.point_to_root(f64::from(turned.width) / 2.0, f64::from(turned.height) / 2.0);
        assert!((middle.0 - 300.0).abs() < 0.5 && (middle.1 - 230.0).abs() < 0.5, "{degrees}: {middle:?}");
        let (x, y) = turned.lineage.point_from_root(150.0, 90.0).unwrap();
        let back = turned.lineage.point_to_root(x, y);
        assert!((back.0 - 150.0).abs() < 1e-6 && (back.1 - 90.0).abs() < 1e-6);
    }
    worker.stop().await;
}

#[tokio::test]
async fn no_picture_is_made_of_nothing_to_mark() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(png(20, 10)).await;
    for block in ["blur_region@1", "draw_boxes@1", "draw_masks@1", "heatmap@1", "crop@1"] {
        for inputs in [
            json!({"image": image, "detections": null}),
            json!({"image": image, "masks": null}),
            json!({"image": image, "detections": null, "masks": null}),
        ] {
            let refused = desk.run(Desk::job(block, inputs.clone(), json!({}))).await.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::InvalidInput, "{block} {inputs}");
            assert_eq!(refused.pointer.as_deref(), Some("/inputs/detections"), "{block} {inputs}");
        }
        // To have found nothing is something else.
        let found = json!({"image_id": image.blob, "width": 20, "height": 10, "items": []});
        let inputs = json!({"image": image, "detections": found, "masks": null});
        assert!(desk.run(Desk::job(block, inputs, json!({}))).await.is_ok(), "{block}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn masks_are_drawn_and_blurred_to_the_pixel() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(png(20, 10)).await;
    // The left half of the upper half.
    let inside = |place: usize| place / 10 < 10 && place % 10 < 5;
    let mask = Rle::of_columns([10, 20], (0..200).map(inside)).unwrap();
    let masks = json!({
        "kind": "segments", "image_id": image.blob, "width": 20, "height": 10,
        "items": [{"class_id": 1, "class_name": "star", "area": 50, "bbox": [0, 0, 10, 5], "mask": mask}]
    });
    assert!(serde_json::from_value::<Masks>(masks.clone()).is_ok());
    let inputs = json!({"image": image, "masks": masks});
    let drawn = image_of(
        &desk.run(Desk::job("draw_masks@1", inputs.clone(), json!({"opacity": 1.0}))).await.unwrap(),
    );
    let frame = pixels(&desk, &drawn).await;
    assert_ne!(frame.pixel(9, 4), Some([200, 100, 50]));
    assert_eq!((frame.pixel(10, 4), frame.pixel(9, 5)), (Some([200, 100, 50]), Some([200, 100, 50])));
    assert!(desk.run(Desk::job("blur_region@1", inputs.clone(), json!({}))).await.is_ok());
    // As a box: its rim is coloured, what it encloses and what is outside is not.
    let style = json!({"thickness": 1, "labels": "none"});
    let boxed = image_of(&desk.run(Desk::job("draw_boxes@1", inputs.clone(), style)).await.unwrap());
    let frame = pixels(&desk, &boxed).await;
    assert_ne!(frame.pixel(0, 2), Some([200, 100, 50]));
    assert_eq!((frame.pixel(5, 2), frame.pixel(15, 8)), (Some([200, 100, 50]), Some([200, 100, 50])));
    let hot = json!({"radius": 2, "opacity": 1.0});
    let warmed = image_of(&desk.run(Desk::job("heatmap@1", inputs, hot)).await.unwrap());
    let frame = pixels(&desk, &warmed).await;
    assert_ne!(frame.pixel(5, 2), frame.pixel(15, 8), "the middle of the mask's box is hot");
    // Of another picture they are refused.
    let other = desk.image(png(20, 11)).await;
    let refused =
        desk.run(Desk::job("draw_masks@1", json!({"image": other, "masks": masks}), json!({}))).await;
    let refused = refused.unwrap_err();
    assert!(refused.message.contains("DETECTIONS_IMAGE_MISMATCH"), "{refused}");
    // So are those fed in that do not say whose they are, if they have another size.
    let mut fed = masks;
    fed.as_object_mut().unwrap().remove("image_id");
    for block in ["draw_masks@1", "blur_region@1", "draw_boxes@1", "heatmap@1"] {
        let refused = desk.run(Desk::job(block, json!({"image": other, "masks": fed}), json!({}))).await;
        let refused = refused.unwrap_err();
        assert!(
            refused.message.contains("mask 0 has 20 x 10 pixels, the image 20 x 11"),
            "{block}: {refused}"
        );
    }
    worker.stop().await;
}

#[tokio::test]
async fn masks_follow_to_what_was_painted_or_smoothed() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(png(20, 10)).await;
    let style = json!({"thickness": 1, "labels": "none"});
    let inputs = json!({"image": image, "detections": [{"bbox": [15, 7, 19, 9]}]});
    let painted = image_of(&desk.run(Desk::job("draw_boxes@1", inputs, style)).await.unwrap());
    let smoothed =
        image_of(&desk.run(Desk::job("smoothing@1", on(&painted), json!({"kernel_size": 3}))).await.unwrap());
    assert!(smoothed.blob != painted.blob && painted.blob != image.blob);
    // The left half of the upper half.
    let mask = Rle::of_columns([10, 20], (0..200).map(|place| place / 10 < 10 && place % 10 < 5)).unwrap();
    let masks = json!({
        "kind": "segments", "image_id": image.blob, "width": 20, "height": 10,
        "items": [{"class_id": 1, "class_name": "star", "area": 50, "bbox": [0, 0, 10, 5], "mask": mask}]
    });
    let found = json!({
        "image_id": image.blob, "width": 20, "height": 10,
        "items": [{"class_id": 1, "bbox": [0, 0, 10, 5], "mask": mask}]
    });
    for (port, value) in [("masks", masks.clone()), ("detections", found.clone())] {
        let inputs = json!({"image": smoothed, port: value});
        let done =
            desk.run(Desk::job("draw_masks@1", inputs.clone(), json!({"opacity": 1.0}))).await.unwrap();
        assert!(done.warnings.is_empty(), "{port}: {:?}", done.warnings);
        let frame = pixels(&desk, &image_of(&done)).await;
        assert_ne!(frame.pixel(9, 4), Some([200, 100, 50]), "{port}");
        assert_eq!(frame.pixel(10, 4), Some([200, 100, 50]), "{port}");
        let hidden = desk.run(Desk::job("blur_region@1", inputs, json!({"shape": "mask"}))).await.unwrap();
        assert!(hidden.warnings.is_empty(), "{port}: {:?}", hidden.warnings);
    }
    // A part of it is another picture, even one that begins at the same corner.
    let corner = json!({"mode": "absolute", "region": [0, 0, 12, 8]});
    let corner = image_of(&desk.run(Desk::job("crop@1", on(&image), corner)).await.unwrap());
    let refused =
        desk.run(Desk::job("draw_masks@1", json!({"image": corner, "masks": masks}), json!({}))).await;
    let refused = refused.unwrap_err();
    assert!(refused.message.contains("DETECTIONS_IMAGE_MISMATCH"), "{refused}");
    let inputs = json!({"image": corner, "detections": found});
    let bare = desk.run(Desk::job("draw_masks@1", inputs, json!({}))).await.unwrap();
    assert_eq!(bare.warnings, ["1 of 1 detections have no mask of this picture"]);
    worker.stop().await;
}

#[tokio::test]
async fn many_warnings_are_counted() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(png(20, 10)).await;
    let tiny = json!({"bbox": [1, 1, 2, 2], "class_name": "dust"});
    let inputs = json!({"image": image, "detections": vec![tiny; 5_000]});
    let cut = desk.run(Desk::job("crop@1", inputs, json!({"min_size": 8}))).await.unwrap();
    assert_eq!((cut.outputs["crops"].clone(), cut.warnings.len()), (json!([]), 51));
    assert_eq!(cut.warnings[50], "and 4950 more warnings");
    worker.stop().await;
}

#[tokio::test]
async fn grids_and_comparisons_are_pictures_of_their_own() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let (first, second) = (desk.image(scene("scene_00.jpg")).await, desk.image(scene("scene_04.jpg")).await);
    let images = json!({"images": [first, second, first, second, first], "labels": ["a", 2, null]});
    let config = json!({"cell_width": 100, "cell_height": 80, "gap": 10});
    let grid = image_of(&desk.run(Desk::job("grid_builder@1", images, config.clone())).await.unwrap());
    assert_eq!((grid.width, grid.height), (3 * 110 + 10, 2 * 90 + 10));
    assert_eq!((grid.lineage.root, grid.lineage.root_width), (grid.blob, grid.width));
    let none = image_of(&desk.run(Desk::job("grid_builder@1", json!({"images": []}), config)).await.unwrap());
    assert_eq!((none.width, none.height), (120, 100));

    let pair = json!({"a": first, "b": first});
    let same = desk.run(Desk::job("comparison@1", pair, json!({"mode": "ssim"}))).await.unwrap();
    assert_eq!((&same.outputs["score"], &same.outputs["difference"]), (&json!(1.0), &json!(0.0)));
    let pair = json!({"a": first, "b": second});
    for mode in ["side_by_side", "overlay", "difference"] {
        let other = desk.run(Desk::job("comparison@1", pair.clone(), json!({"mode": mode}))).await.unwrap();
        assert!(other.outputs["score"].as_f64().unwrap() < 0.9);
        let root = image_of(&other).lineage.root;
        assert_eq!(root == first.blob, mode != "side_by_side", "{mode}");
    }
    let detect = json!({"model_id": "shapes-detector", "confidence": 0.5});
    let found =
        desk.run(Desk::job("detection@1", on(&first), detect)).await.unwrap().outputs["detections"].clone();
    let mut fewer: Detections = serde_json::from_value(found.clone()).unwrap();
    let count = fewer.items.len() as f64;
    fewer.items.pop();
    let sets = json!({"image": first, "detections_a": found, "detections_b": fewer});
    let done = desk.run(Desk::job("comparison@1", sets, json!({}))).await.unwrap();
    let expected = 2.0 * (count - 1.0) / (2.0 * count - 1.0);
    assert!((done.outputs["score"].as_f64().unwrap() - expected).abs() < 1e-9);
    worker.stop().await;
}

#[tokio::test]
async fn what_would_be_too_large_is_refused_before_it_is_made() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(png(8, 8)).await;
    let cells = json!({"cell_width": 4096, "cell_height": 4096, "columns": 1});
    let images = vec![json!(image); 20];
    let refused = desk.run(Desk::job("grid_builder@1", json!({"images": images}), cells)).await.unwrap_err();
    assert_eq!((refused.kind, refused.pointer.as_deref()), (ErrorKind::InvalidConfig, Some("/config")));
    worker.stop().await;
}

#[tokio::test]
async fn pictures_beside_each_other_are_no_larger_than_can_be_read() {
    let mut desk = Desk::open().await;
    let settings = millrace_config::Worker { max_pixels: 1_500, ..settings() };
    let worker = desk.worker_as(settings, repository()).await;
    let image = desk.image(png(40, 20)).await;
    let pictures = json!({"a": image, "b": image});
    let sets = json!({"image": image, "detections_a": [], "detections_b": []});
    for inputs in [pictures, sets] {
        let apart = json!({"mode": "side_by_side"});
        let refused = desk.run(Desk::job("comparison@1", inputs.clone(), apart)).await.unwrap_err();
        assert_eq!((refused.kind, refused.pointer.as_deref()), (ErrorKind::InvalidConfig, Some("/config")));
        assert!(refused.message.contains("81 x 20 pixels"), "{refused}");
        let done = desk.run(Desk::job("comparison@1", inputs, json!({"mode": "overlay"}))).await.unwrap();
        assert_eq!(image_of(&done).width, 40);
    }
    worker.stop().await;
}

#[tokio::test]
async fn more_work_than_a_job_may_do_is_refused_before_it_is_begun() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(png(2_000, 2_000)).await;
    let whole = json!({"bbox": [0, 0, 2_000, 2_000], "class_name": "star"});
    let boxes = json!({"image": image, "detections": vec![whole.clone(); 2_501]});
    let some = json!({"image": image, "detections": vec![whole; 200]});
    let mask = json!({"size": [2_000, 2_000], "counts": [0, 4_000_000]});
    let item =
        json!({"class_id": 1, "class_name": "star", "area": 4_000_000, "bbox": [0, 0, 9, 9], "mask": mask});
    let masks = json!({"image": image, "masks": {
        "kind": "segments", "width": 2_000, "height": 2_000, "items": vec![item; 2_501]
    }});
    let small = json!({"bbox": [0, 0, 4, 4], "class_name": "star"});
    let crops = json!({"image": image, "detections": vec![small.clone(); 10_001]});
    let labels = json!({"image": image, "detections": vec![small.clone(); 30_001]});
    let cases = [
        ("blur_region@1", &boxes, json!({}), "2501 regions are as much work as 10089 megapixels"),
        ("blur_region@1", &masks, json!({}), "2501 regions are as much work as 10089 megapixels"),
        ("blur_region@1", &some, json!({"kernel_size": 255}), "`kernel_size`"),
        ("draw_boxes@1", &boxes, json!({"roundness": 1.0}), "2501 regions are as much work as 1004"),
        ("draw_boxes@1", &labels, json!({}), "30001 labels are more than the 30000 allowed"),
        ("draw_masks@1", &masks, json!({}), "2501 regions of 10004 megapixels"),
        ("draw_masks@1", &masks, json!({"outline": 2}), "2501 regions of 10004 megapixels"),
        ("heatmap@1", &boxes, json!({"radius": 5_000}), "2501 regions of 10004 megapixels"),
        ("crop@1", &boxes, json!({}), "2501 regions of 10004 megapixels"),
        ("crop@1", &crops, json!({}), "10001 crops are more than the 10000 allowed"),
    ];
    for (task, inputs, config, words) in cases {
        let refused = desk.run(Desk::job(task, inputs.clone(), config)).await.unwrap_err();
        assert_eq!((refused.kind, refused.pointer.as_deref()), (ErrorKind::InvalidInput, Some("/inputs")));
        assert!(refused.message.contains(words) && refused.message.contains("top_n"), "{task}: {refused}");
    }
    // As many of them, and small: no trouble.
    let inputs = json!({"image": image, "detections": vec![small; 10_001]});
    for task in ["blur_region@1", "draw_boxes@1", "heatmap@1"] {
        let done = desk.run(Desk::job(task, inputs.clone(), json!({}))).await;
        assert!(done.is_ok(), "{task}: {done:?}");
    }
    worker.stop().await;
}

#[tokio::test]
async fn what_tiles_show_is_found_once_on_the_whole() {
    let mut desk = Desk::open().await;
    let worker = desk.worker().await;
    let image = desk.image(scene("scene_00.jpg")).await;
    let config = json!({"slice_width": 320, "slice_height": 320, "overlap_x": 0.25, "overlap_y": 0.25});
    let tiled = desk.run(Desk::job("tile@1", on(&image), config)).await.unwrap();
    let tiles: Vec<ImageValue> = serde_json::from_value(tiled.outputs["tiles"].clone()).unwrap();
    // 640 x 480 in steps of 240: at 0, 240, 320 across and 0, 160 down.
    assert_eq!((tiled.outputs["count"].clone(), tiles.len()), (json!(6), 6));
    let corners: Vec<(f64, f64)> = tiles.iter().map(|tile| tile.lineage.point_to_root(0.0, 0.0)).collect();
    assert_eq!(
        corners,
        [(0.0, 0.0), (240.0, 0.0), (320.0, 0.0), (0.0, 160.0), (240.0, 160.0), (320.0, 160.0)]
    );
    let mut sets = vec![Value::Null];
    for tile in &tiles {
        let detect = json!({"model_id": "shapes-detector", "confidence": 0.5});
        sets.push(
            desk.run(Desk::job("detection@1", on(tile), detect)).await.unwrap().outputs["detections"].clone(),
        );
    }
    let inputs = json!({"image": image, "detections": sets});
    let all = desk.run(Desk::job("stitch@1", inputs.clone(), json!({"strategy": "none"}))).await.unwrap();
    let whole = desk.run(Desk::job("stitch@1", inputs, json!({}))).await.unwrap();
    let (all, whole) = (all.outputs["count"].as_u64().unwrap(), whole.outputs["count"].as_u64().unwrap());
    assert!(all > whole && whole > 0, "{all} boxes, {whole} things");
    let flood = json!({"slice_width": 16, "slice_height": 16, "overlap_x": 0.95, "overlap_y": 0.95});
    let refused = desk.run(Desk::job("tile@1", on(&image), flood)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::InvalidConfig);
    assert!(refused.message.contains("larger tiles"), "{refused}");
    worker.stop().await;
}
