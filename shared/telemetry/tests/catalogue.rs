//! The catalogue against the code that counts, and against all who name metrics: a name that nobody counts under reads as zero for
//! ever, and nobody notices.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use millrace_telemetry::catalogue::{CATALOGUE, Metric, MetricKind};

/// What the crate `metrics-process` tells by itself.
const NOT_OURS: &str = "process_";
/// How the names of metrics begin.
const PREFIXES: [&str; 2] = ["millrace_", NOT_OURS];
/// What Prometheus puts behind the name of a histogram.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All text below `folder` of files that end so, without tests and benches.
fn texts(folder: &Path, ends: &[&str], found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let passed_over =
            ["tests", "benches", "node_modules", "target"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !passed_over {
            texts(&path, ends, found)?;
        } else if ends.iter().any(|end| path.to_string_lossy().ends_with(end)) {
            found.push(fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

fn texts_in(folders: &[&str], ends: &[&str]) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in folders {
        texts(&root().join(folder), ends, &mut found)?;
    }
    Ok(found)
}

/// What `text` counts: `counter`, `gauge` or `histogram`, and the name.
fn counted(text: &str) -> Vec<(&'static str, &str)> {
    let kinds = [MetricKind::Counter, MetricKind::Gauge, MetricKind::Histogram].map(MetricKind::as_str);
    let mut found = Vec::new();
    for kind in kinds {
        let calls = text.split(&format!("{kind}!(")).skip(1).map(str::trim_start).collect::<Vec<_>>();
        let names = calls.into_iter().filter_map(|call| call.strip_prefix('"')?.split('"').next());
        found.extend(names.map(|name| (kind, name)));
    }
    found
}

fn catalogue() -> impl Iterator<Item = &'static Metric> {
    CATALOGUE.iter().flat_map(|part| part.metrics)
}

/// The metric that a series of this name is of.
fn of_series(name: &str) -> Option<&'static Metric> {
    let is_part = |metric: &Metric| {
        let ends = PARTS.iter().filter_map(|part| name.strip_suffix(part));
        metric.kind == MetricKind::Histogram && ends.into_iter().any(|short| short == metric.name)
    };
    catalogue().find(|metric| metric.name == name || is_part(metric))
}

/// The words of `text` that begin as metrics do.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| PREFIXES.iter().any(|prefix| word.len() > prefix.len() && word.starts_with(prefix)))
}

#[test]
fn what_is_counted_is_in_the_catalogue_and_the_other_way_round() {
    let files = texts_in(&["services", "shared"], &[".rs"]).unwrap();
    let code: BTreeSet<_> = files.iter().flat_map(|text| counted(text)).collect();
    let ours = catalogue().filter(|metric| !metric.name.starts_with(NOT_OURS));
    let named: BTreeSet<_> = ours.map(|metric| (metric.kind.as_str(), metric.name)).collect();
    let unnamed: Vec<_> = code.difference(&named).collect();
    assert!(unnamed.is_empty(), "not in shared/telemetry/src/catalogue: {unnamed:?}");
    let never: Vec<_> = named.difference(&code).collect();
    assert!(never.is_empty(), "in the catalogue, and nobody counts it: {never:?}");
}

#[test]
fn names_follow_the_rules_and_stand_once() {
    let mut seen = BTreeSet::new();
    for Metric { name, kind, help, .. } in catalogue() {
        assert!(seen.insert(name), "{name} twice");
        assert_eq!(name.ends_with("_total"), *kind == MetricKind::Counter, "{name}");
        assert!(help.ends_with('.'), "{name}: {help}");
    }
}

#[test]
fn every_metric_that_dashboards_alerts_deployments_and_pages_name_is_there() {
    let told =
        texts_in(&["k8s", "docs", "monitoring"], &[".yaml", ".yml", ".json", ".md"]).unwrap().join("\n");
    let told: BTreeSet<&str> = names(&told).collect();
    assert!(told.contains("millrace_queue_waiting"), "workers are scaled by it: {told:?}");
    assert!(told.contains("millrace_run_seconds_bucket"), "the dashboard shows it: {told:?}");
    let unknown: Vec<_> = told.into_iter().filter(|name| of_series(name).is_none()).collect();
    assert!(unknown.is_empty(), "nothing is counted as {unknown:?}");
}

#[test]
fn every_alert_is_explained() {
    let rules = fs::read_to_string(root().join("monitoring/alerts.yml")).unwrap();
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(!alerts.is_empty());
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert_eq!(headings, alerts, "docs/operations.md has a heading for each, in the same order");
    for alert in alerts {
        let link = format!("docs/operations.md#{}", alert.to_lowercase());
        assert!(rules.lines().any(|line| line.trim() == format!("runbook: {link}")), "{alert} names {link}");
    }
}

/// The catalogue as a page.
fn page() -> Result<String, fmt::Error> {
    let mut page = String::from(
        "# Metrics\n\nEvery role serves these at `/metrics`, in the text format of Prometheus, with `# HELP` lines that say the \
        same. This page is made\nfrom `shared/telemetry/src/catalogue`; `make metrics-page` writes it anew. \
        [monitoring](../monitoring/README.md) has a dashboard and alerts\nmade of them.\n",
    );
    for part in CATALOGUE {
        write!(page, "\n## {}\n\n| metric | kind | labels | |\n| --- | --- | --- | --- |\n", part.title)?;
        for Metric { name, kind, labels, help } in part.metrics {
            let labels: Vec<_> = labels
                .iter()
                .map(|(label, values)| match *values {
                    [] => format!("`{label}`"),
                    values => format!("`{label}` ({})", values.join(", ")),
                })
                .collect();
            writeln!(page, "| `{name}` | {} | {} | {help} |", kind.as_str(), labels.join("; "))?;
        }
    }
    Ok(page)
}

#[test]
fn the_page_is_that_of_the_catalogue() {
    let path = root().join("docs/metrics.md");
    let page = page().unwrap();
    if std::env::var_os("MILLRACE_REFRESH_METRICS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == page, "docs/metrics.md is out of date: make metrics-page");
}
