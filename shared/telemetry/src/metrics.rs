//! The Prometheus recorder behind the `metrics` macros.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::{TelemetryError, catalogue};

/// Buckets of histograms in seconds: from one hop of the bus to a long job.
const SECONDS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Buckets of all other histograms, which count things: rows in a batch, bytes, items.
const COUNTS: [f64; 12] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0, 16_384.0, 1_048_576.0];

/// Renders what the process has counted. Cheap to clone.
#[derive(Clone)]
pub struct MetricsHandle {
    prometheus: PrometheusHandle,
    process: metrics_process::Collector,
}

impl std::fmt::Debug for MetricsHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MetricsHandle")
    }
}

impl MetricsHandle {
    /// Installs the recorder for this process, which has these roles: `api`, `orchestrator`, `writer`, `worker`.
    ///
    /// # Errors
    /// [`TelemetryError::Recorder`] when there is one already.
    pub fn install(roles: &[&str]) -> Result<Self, TelemetryError> {
        let builder = PrometheusBuilder::new().set_buckets(&COUNTS)?;
        let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
        let prometheus = builder.install_recorder()?;
        let process = metrics_process::Collector::default();
        process.describe();
        catalogue::describe();
        catalogue::begin(roles);
        metrics::gauge!("millrace_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Ok(Self { prometheus, process })
    }

    /// The text of `/metrics`.
    #[must_use]
    pub fn render(&self) -> String {
        // Folds what histograms have gathered, which nobody else does; a scrape is often enough.
        self.prometheus.run_upkeep();
        self.process.collect();
        self.prometheus.render()
    }
}
