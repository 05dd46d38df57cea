//! Every metric there is, with what it means: the `# HELP` lines of `/metrics`, and `docs/metrics.md`. A test finds what the code
//! counts and this does not name.

mod api;
mod bus;
mod orchestrator;
mod process;
mod worker;
mod writer;

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// What can be done with a metric's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows, until the process starts again: look at its rate.
    Counter,
    /// It is what it was when it was last looked at.
    Gauge,
    /// How values are spread: `_bucket`, `_sum`, `_count`.
    Histogram,
}

impl MetricKind {
    /// The word that Prometheus has for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric of some role.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// `millrace_<role>_<what>_<unit>`; counters end in `_total`.
    pub name: &'static str,
    /// What can be done with it.
    pub kind: MetricKind,
    /// Its labels.
    pub labels: &'static [Label],
    /// What it says, in one sentence.
    pub help: &'static str,
}

/// The metrics that one part of the system has.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Who has them.
    pub title: &'static str,
    /// In the order in which they are read best.
    pub metrics: &'static [Metric],
}

/// All parts.
pub const CATALOGUE: [Part; 6] =
    [api::PART, orchestrator::PART, worker::PART, writer::PART, bus::PART, process::PART];

/// The name of a label, and the values it takes where these are known beforehand.
pub type Label = (&'static str, &'static [&'static str]);

/// The parts that every role has.
const EVERYBODYS: [&str; 1] = [bus::PART.title];

type Labels = &'static [Label];

const fn counter(name: &'static str, labels: Labels, help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: Labels, help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Gauge, labels, help }
}

const fn histogram(name: &'static str, labels: Labels, help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Histogram, labels, help }
}

/// Tells the recorder what the metrics mean.
pub(crate) fn describe() {
    for metric in CATALOGUE.iter().flat_map(|part| part.metrics) {
        match metric.kind {
            MetricKind::Counter => describe_counter!(metric.name, metric.help),
            MetricKind::Gauge => describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => describe_histogram!(metric.name, metric.help),
        }
    }
}

/// Shows the counters of `roles` as zeros: one that appears with its first count has not grown for
/// Prometheus, and whoever waits for it to grow would miss just the first fault. Those with labels that nobody knows
/// beforehand cannot be shown.
pub(crate) fn begin(roles: &[&str]) {
    let theirs = |part: &&Part| roles.contains(&part.title) || EVERYBODYS.contains(&part.title);
    let counters = CATALOGUE.iter().filter(theirs).flat_map(|part| part.metrics);
    for metric in counters.filter(|metric| metric.kind == MetricKind::Counter) {
        match metric.labels {
            [] => metrics::counter!(metric.name).increment(0),
            [(label, values)] => {
                for value in *values {
                    metrics::counter!(metric.name, *label => *value).increment(0);
                }
            }
            _ => {}
        }
    }
}
