//! `[telemetry]`: what the process says about itself.

use serde::{Deserialize, Serialize};

/// What the process says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Log level, or per-target directives such as `info,millrace_bus=debug`. `RUST_LOG` is honoured.
    pub log: String,
    /// One JSON object per line instead of text for people.
    pub json: bool,
    /// Send traces to this OpenTelemetry collector (OTLP over HTTP), such as <http://127.0.0.1:4318>.
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` is honoured.
    pub otlp_endpoint: Option<String>,
    /// Share of traces that are sent, 0 to 1.
    pub trace_ratio: f64,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { log: "info".to_owned(), json: false, otlp_endpoint: None, trace_ratio: 1.0 }
    }
}
