//! Every command of examples/README.md does what the page shows.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use image::RgbImage;
use image::imageops::{FilterType, resize};
use serde_json::{Value, json};

use crate::support::Stack;
use crate::support::stack::root;

/// Side of the squares that pictures are compared by, pixels: a missing box or label changes some square much.
const SQUARE: u32 = 16;
/// Mean difference of a square's levels, 0 to 255, up to which it is the same. The pictures shown are JPEGs of quality 90,
/// whose noise stays under 7 here; a line of a box that is missing or elsewhere makes 20 and more.
const SAME: f64 = 10.0;
/// Share of the shapes in `crowd.jpg` that slices must find, and that the whole picture gives at most.
const RECALL: (f64, f64) = (0.7, 0.1);

#[tokio::test]
async fn every_example_shows_what_its_page_shows() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    run_scripts(&stack)?;
    let commands = commands()?;
    let named: BTreeSet<_> = commands.iter().map(|command| command.workflow.clone()).collect();
    assert_eq!(named, workflows()?, "each example has one command on the page");
    for command in &commands {
        let out = tempfile::tempdir()?;
        let ended = command.run(&stack, out.path())?;
        assert_eq!(ended["status"], "completed", "{}: {}", command.workflow, ended["error"]);
        let expected = root().join("examples/expected").join(format!("{}.jpg", command.workflow));
        if expected.exists() {
            let picture = ended["files"].as_array().and_then(|files| files.iter().find_map(Value::as_str));
            let picture = picture.with_context(|| format!("{} wrote no picture", command.workflow))?;
            let difference = difference(Path::new(picture), &expected)?;
            assert!(difference < SAME, "{}: a square differs by {difference:.1} levels", command.workflow);
        }
        match command.workflow.as_str() {
            "small-objects" => check_recall(&ended["outputs"]["answer"])?,
            "visual-search" => check_matches(&ended["outputs"]["answer"]),
            _ => {}
        }
    }
    Ok(())
}

/// One `millrace run` of the page.
struct Example {
    workflow: String,
    arguments: Vec<String>,
}

impl Example {
    /// How it ended, as `--json` tells.
    fn run(&self, stack: &Stack, out: &Path) -> anyhow::Result<Value> {
        let output = Command::new(env!("CARGO_BIN_EXE_millrace"))
            .current_dir(root())
            .args(&self.arguments)
            .env("MILLRACE_URL", &stack.api)
            .args(["--json", "--out"])
            .arg(out)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).with_context(|| format!("{}: {said}", self.workflow))
    }
}

/// What the page has a shell run first: with the address in the environment, as an argument, and where `millrace up` leaves it.
fn run_scripts(stack: &Stack) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(root().join("examples/README.md"))?;
    let beside = tempfile::tempdir()?;
    std::fs::create_dir(beside.path().join(".millrace"))?;
    let endpoints = serde_json::to_string_pretty(&json!({"api": stack.api, "pid": 1}))?;
    std::fs::write(beside.path().join(".millrace/endpoints.json"), endpoints)?;
    for script in page.lines().filter_map(|line| line.trim().strip_prefix("sh ")) {
        let shell = |folder: &Path| {
            let mut shell = Command::new("sh");
            shell.current_dir(folder).arg(root().join(script)).env_remove("MILLRACE_URL");
            shell
        };
        let mut ways = [shell(&root()), shell(&root()), shell(beside.path())];
        ways[0].env("MILLRACE_URL", &stack.api);
        ways[1].arg(&stack.api).env("MILLRACE_URL", "http://127.0.0.1:1");
        for way in &mut ways {
            let output = way.output()?;
            let said = String::from_utf8_lossy(&output.stderr);
            anyhow::ensure!(output.status.success(), "{script}: {said}");
        }
    }
    Ok(())
}

fn commands() -> anyhow::Result<Vec<Example>> {
    let page = std::fs::read_to_string(root().join("examples/README.md"))?;
    let lines = page.lines().filter_map(|line| line.trim().strip_prefix("millrace "));
    lines
        .filter_map(|line| Some((line, line.strip_prefix("run examples/")?)))
        .map(|(line, rest)| {
            let (workflow, _) = rest.split_once(".json").context("a command names a workflow")?;
            let arguments = line.split_whitespace().map(str::to_owned).collect();
            Ok(Example { workflow: workflow.to_owned(), arguments })
        })
        .collect()
}

fn workflows() -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("examples"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            found.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    Ok(found)
}

/// The mean difference of the squares that differ most, in levels.
fn difference(found: &Path, expected: &Path) -> anyhow::Result<f64> {
    let expected = image::open(expected)?.into_rgb8();
    let found = image::open(found)?.into_rgb8();
    let (width, height) = expected.dimensions();
    let found = if found.dimensions() == (width, height) {
        found
    } else {
        resize(&found, width, height, FilterType::Triangle)
    };
    let squares = (0..height.div_ceil(SQUARE)).flat_map(|y| (0..width.div_ceil(SQUARE)).map(move |x| (x, y)));
    let differences = squares.map(|(x, y)| square_difference(&found, &expected, (x * SQUARE, y * SQUARE)));
    Ok(differences.fold(0.0, f64::max))
}

fn square_difference(found: &RgbImage, expected: &RgbImage, (left, top): (u32, u32)) -> f64 {
    let (width, height) = expected.dimensions();
    let (mut sum, mut count) = (0.0, 0.0);
    for y in top..height.min(top + SQUARE) {
        for x in left..width.min(left + SQUARE) {
            for (a, b) in found.get_pixel(x, y).0.into_iter().zip(expected.get_pixel(x, y).0) {
                sum += f64::from(a.abs_diff(b));
                count += 1.0;
            }
        }
    }
    sum / count
}

/// Slices find most of what is there; the whole picture, a quarter of its size to the model, gives little.
fn check_recall(answer: &Value) -> anyhow::Result<()> {
    let truth = std::fs::read_to_string(root().join("examples/expected/small-objects.truth.json"))?;
    let truth: Value = serde_json::from_str(&truth)?;
    let sliced = recall(&truth, &answer["detections"]);
    let whole = recall(&truth, &answer["detections_on_the_whole"]);
    assert!(sliced >= RECALL.0 && whole <= RECALL.1, "recall {sliced:.2} in slices, {whole:.2} on the whole");
    let shapes = truth["boxes"].as_array().context("the true boxes")?.len() as f64;
    for (found, of) in [("detections", sliced), ("detections_on_the_whole", whole)] {
        let printed = answer[found]["items"].as_array().context("boxes")?.len() as f64;
        assert!(printed > (of * shapes).round(), "{found}: {printed} boxes are printed");
    }
    Ok(())
}

/// The picture is found by itself, then what was made of it.
fn check_matches(answer: &Value) {
    let matches = answer["matches"].as_array().cloned().unwrap_or_default();
    let ids: Vec<&str> = matches.iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(ids, ["scene", "privacy", "detect-and-filter"], "{answer}");
    let scores: Vec<f64> = matches.iter().filter_map(|one| one["score"].as_f64()).collect();
    assert!((scores[0] - 1.0).abs() < 1e-4 && scores[1] < scores[0] && scores[2] > 0.9, "{answer}");
    assert_eq!(answer["best"], matches[0]);
    assert_eq!(
        (&matches[0]["payload"]["kind"], &matches[1]["payload"]["kind"]),
        (&"photo".into(), &"result".into())
    );
}

/// The share of true shapes with a detection of the same name that covers them with an IoU of at least one half.
fn recall(truth: &Value, detections: &Value) -> f64 {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let corners = |value: &Value| -> Vec<f64> { list(value).iter().filter_map(Value::as_f64).collect() };
    let items = list(&detections["items"]);
    let boxes = list(&truth["boxes"]);
    let hits = boxes.iter().zip(list(&truth["names"])).filter(|(shape, name)| {
        items
            .iter()
            .any(|item| item["class_name"] == *name && iou(&corners(shape), &corners(&item["bbox"])) >= 0.5)
    });
    hits.count() as f64 / boxes.len() as f64
}

fn iou(a: &[f64], b: &[f64]) -> f64 {
    let overlap = |low: usize| (a[low + 2].min(b[low + 2]) - a[low].max(b[low])).max(0.0);
    let area = |of: &[f64]| (of[2] - of[0]) * (of[3] - of[1]);
    let both = overlap(0) * overlap(1);
    both / (area(a) + area(b) - both)
}
