//! Metrics that somebody is told of exist: a name that nobody counts under reads as zero for ever, and nobody notices.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PREFIX: &str = "millrace_";
/// What Prometheus puts behind the name of a histogram.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// All text below `folder` of files that end so.
fn texts(folder: &Path, ends: &[&str], found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            texts(&path, ends, found)?;
        } else if ends.iter().any(|end| path.to_string_lossy().ends_with(end)) {
            found.push(fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// The words of `text` that begin as our metrics do.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with(PREFIX))
}

#[test]
fn every_metric_that_deployments_and_pages_name_is_counted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (mut told, mut code) = (Vec::new(), Vec::new());
    texts(&root.join("k8s"), &[".yaml", ".yml", ".json", ".md"], &mut told).unwrap();
    texts(&root.join("docs"), &[".json", ".md"], &mut told).unwrap();
    for crates in ["services", "shared"] {
        for folder in fs::read_dir(root.join(crates)).unwrap() {
            let source = folder.unwrap().path().join("src");
            if source.is_dir() {
                texts(&source, &[".rs"], &mut code).unwrap();
            }
        }
    }
    let counted = |name: &str| code.iter().any(|text| text.contains(&format!("\"{name}\"")));
    let of_histogram = |name: &str| PARTS.iter().filter_map(|part| name.strip_suffix(part)).any(counted);
    let told: BTreeSet<&str> = told.iter().flat_map(|text| names(text)).collect();
    assert!(told.contains("millrace_queue_waiting"), "workers are scaled by it: {told:?}");
    let unknown: Vec<_> = told.into_iter().filter(|name| !counted(name) && !of_histogram(name)).collect();
    assert!(unknown.is_empty(), "nothing is counted as {unknown:?}");
}
