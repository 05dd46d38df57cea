//! Each step on a 1080p picture beside OpenCV from Python doing the same, one thread each, in turns: a table of
//! milliseconds. `MILLRACE_PYTHON` names a Python that has `cv2`; without one only our own column is printed.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may panic and prints its table"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use millrace_vision::*;

/// As in the product: the allocator decides whether the memory of a picture is warm.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Turns of ours and OpenCV's; the better of them counts, as other programs only ever slow one down.
const TURNS: usize = 3;
/// Repetitions of a step per turn; their median counts.
const ROUNDS: usize = 15;

type Step = Box<dyn Fn()>;

fn main() {
    // `cargo test --benches` runs this too; there it has nothing to show.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let picture = picture();
    let path = std::env::temp_dir().join(format!("millrace-vision-{}.jpg", std::process::id()));
    std::fs::write(&path, &picture).unwrap();
    // As with other benches: `cargo bench … -- turn` runs what has it in its name.
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let named = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    let steps: Vec<_> = steps(&picture).into_iter().filter(|(name, _)| named(name)).collect();
    let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
    for _ in 0..TURNS {
        for (name, step) in &steps {
            better(&mut ours, name, median_ms(step));
        }
        for (name, millis) in opencv(&path) {
            better(&mut theirs, &name, millis);
        }
    }
    std::fs::remove_file(&path).unwrap();
    println!("{:<36} {:>9} {:>9} {:>6}", "1920 × 1080, one thread", "Millrace", "OpenCV", "ratio");
    for (name, _) in &steps {
        let own = ours[*name];
        match theirs.get(*name) {
            Some(other) => println!("{name:<36} {own:>6.2} ms {other:>6.2} ms {:>6.2}", own / other),
            None => println!("{name:<36} {own:>6.2} ms         -      -"),
        }
    }
}

fn better(times: &mut BTreeMap<String, f64>, name: &str, millis: f64) {
    let best = times.entry(name.to_owned()).or_insert(millis);
    *best = best.min(millis);
}

fn median_ms(step: &Step) -> f64 {
    step();
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            step();
            begun.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// OpenCV's times, or none where there is no OpenCV.
fn opencv(picture: &Path) -> BTreeMap<String, f64> {
    let python = std::env::var("MILLRACE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).arg("benches/opencv.py").arg(picture).output();
    match output {
        Ok(output) if output.status.success() => serde_json::from_slice(&output.stdout).unwrap(),
        _ => BTreeMap::new(),
    }
}

/// A photograph of 1920 × 1080 pixels as a JPEG of quality 90.
fn picture() -> Vec<u8> {
    let photo = std::fs::read("../../tests/goldens/images/coffee.jpg").unwrap();
    let photo = decode(&photo, &Limits::default()).unwrap();
    let wide = resize(&photo, 1920, 1080, Filter::Bicubic).unwrap();
    encode(&wide, Encoding::Jpeg(90)).unwrap()
}

/// The steps, under the names that `opencv.py` gives them.
fn steps(picture: &[u8]) -> Vec<(&'static str, Step)> {
    let frame = decode(picture, &Limits::default()).unwrap();
    let file = picture.to_vec();
    let mut steps: Vec<(&'static str, Step)> = Vec::new();
    let coded = file.clone();
    steps.push(("decode", Box::new(move || drop(black_box(decode(&coded, &Limits::default()))))));
    steps.push(("decode + letterbox 640 + normalise", Box::new(move || drop(black_box(chain(&file))))));
    let mut step = |name, work: fn(&Frame) -> Frame| {
        let frame = frame.clone();
        steps.push((name, Box::new(move || drop(black_box(work(&frame))))));
    };
    step("resize to 800, bilinear", |f| resize(f, 800, 450, Filter::Bilinear).unwrap());
    step("resize to 800, area", |f| resize(f, 800, 450, Filter::Area).unwrap());
    step("resize to 2560, bicubic", |f| resize(f, 2560, 1440, Filter::Bicubic).unwrap());
    step("crop 640 x 640", |f| crop(f, PixelBox { x: 100, y: 100, width: 640, height: 640 }));
    step("turn by 90", |f| turn(f, 90.0, true));
    step("turn by 15", |f| turn(f, 15.0, false));
    step("flip", |f| Rotation { degrees: 0.0, expand: false, flip: MIRROR, fill: [0; 3] }.paint(f));
    step("smooth: average 5", |f| smooth(f, Smoothing::Average, 5));
    step("smooth: gaussian 5", |f| smooth(f, Smoothing::Gaussian, 5));
    step("smooth: median 5", |f| smooth(f, Smoothing::Median, 5));
    step("smooth: bilateral 5", |f| smooth(f, Smoothing::Bilateral, 5));
    step("equalize: histogram", |f| equalize(f, Equalize::Histogram));
    step("equalize: clahe", |f| equalize(f, Equalize::Clahe));
    step("blur 20 regions: gaussian 15", |f| blur_regions(f, &regions(), Blur::Gaussian(15)).unwrap());
    step("blur 20 regions: pixelate 20", |f| blur_regions(f, &regions(), Blur::Pixelate(20)).unwrap());
    step("draw 50 boxes with labels", |f| draw_boxes(f, &marks(), &BoxStyle::default()).unwrap());
    step("heatmap of 50", |f| heatmap(f, &spots(), &HEAT));
    for (name, encoding) in [("encode JPEG 90", Encoding::Jpeg(90)), ("encode PNG", Encoding::Png)] {
        let frame = frame.clone();
        steps.push((name, Box::new(move || drop(black_box(encode(&frame, encoding))))));
    }
    steps
}

const MIRROR: Flip = Flip { horizontal: true, vertical: false };
const HEAT: Heat = Heat { radius: 40.0, opacity: 0.5, colormap: Colormap::Turbo };

fn chain(file: &[u8]) -> Vec<f32> {
    let frame = decode(file, &Limits::default()).unwrap();
    let (boxed, _) = letterbox(&frame, Letterbox::new(640, 640), Filter::OpenCvLinear).unwrap();
    nchw_from(&boxed, &Normalise::UNIT)
}

fn turn(frame: &Frame, degrees: f64, expand: bool) -> Frame {
    Rotation { degrees, expand, flip: Flip::default(), fill: [0; 3] }.paint(frame)
}

fn regions() -> Vec<Region> {
    let part = |at: u32| PixelBox { x: 40 + at % 5 * 360, y: 40 + at / 5 * 250, width: 160, height: 160 };
    (0..20).map(|at| Region { part: part(at), shape: Shape::Box }).collect()
}

fn marks() -> Vec<Mark> {
    let mark = |at: u16| {
        let (x, y) = (f32::from(20 + at % 10 * 180), f32::from(40 + at / 10 * 200));
        Mark {
            bbox: [x, y, x + 120.0, y + 120.0],
            class_id: i64::from(at % 7),
            class_name: "star".to_owned(),
            confidence: 0.97,
            tracker_id: None,
        }
    };
    (0..50).map(mark).collect()
}

fn spots() -> Vec<Spot> {
    let spot =
        |at: u16| Spot { x: f32::from(80 + at % 10 * 180), y: f32::from(100 + at / 10 * 200), weight: 1.0 };
    (0..50).map(spot).collect()
}
