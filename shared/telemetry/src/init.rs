//! Sets up logs and, where a collector is named, the export of spans. Once per process.

use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::traceparent::sample;

/// Where OTLP over HTTP takes spans, below the collector's address.
const TRACES_PATH: &str = "/v1/traces";

/// What others log as news and is none: Postgres' notices (`… already exists, skipping`), ONNX Runtime's allocations; and the
/// spans that are for traces alone.
/// The settings' own directives come later and win.
const QUIET: &str = "sqlx::postgres::notice=warn,ort=warn,millrace_spans=off";

/// What can be wrong with telemetry settings.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `telemetry.log` is not a level or a list of directives.
    #[error("telemetry.log: {0}; write a level such as info, or directives such as info,millrace_bus=debug")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter cannot be made.
    #[error("telemetry.otlp_endpoint: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The process has a subscriber already: a fault of Millrace.
    #[error("telemetry is initialised twice: {0}")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
    /// The process has a metrics recorder already: a fault of Millrace.
    #[error("the metrics recorder: {0}")]
    Recorder(#[from] metrics_exporter_prometheus::BuildError),
}

/// Keeps the export of spans alive.
#[derive(Debug)]
pub struct Telemetry {
    spans: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Sends the spans that are still held. Blocks for as long as the collector takes, 5 s at most.
    pub fn shutdown(self) {
        if let Some(Err(fault)) = self.spans.map(|spans| spans.shutdown()) {
            tracing::debug!(error = %fault, "the last spans could not be sent");
        }
    }
}

/// Sets up logs and spans for the process; `role` is the service's name in traces, `millrace-<role>`.
///
/// # Errors
/// [`TelemetryError`] for settings that cannot work, or when called twice.
pub fn init(settings: &millrace_config::Telemetry, role: &str) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::builder().parse(format!("{QUIET},{}", settings.log))?;
    let spans =
        settings.otlp_endpoint.as_deref().map(|endpoint| exporter(endpoint, settings.trace_ratio, role));
    let spans = spans.transpose()?;
    sample(settings.trace_ratio);
    // Ours alone: the libraries below speak of every frame they send.
    let ours = Targets::new().with_target("millrace", LevelFilter::INFO);
    let traces = spans
        .as_ref()
        .map(|spans| tracing_opentelemetry::layer().with_tracer(spans.tracer("millrace")).with_filter(ours));
    tracing_subscriber::registry()
        .with(log_layer(settings.json).with_filter(filter))
        .with(traces)
        .try_init()?;
    Ok(Telemetry { spans })
}

fn log_layer(json: bool) -> Box<dyn Layer<Registry> + Send + Sync> {
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    if json {
        return layer.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed();
    }
    layer.compact().with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed()
}

fn exporter(endpoint: &str, ratio: f64, role: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let endpoint = endpoint.trim_end_matches('/');
    let endpoint = if endpoint.ends_with(TRACES_PATH) {
        endpoint.to_owned()
    } else {
        format!("{endpoint}{TRACES_PATH}")
    };
    let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build()?;
    let resource = Resource::builder().with_service_name(format!("millrace-{role}")).build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
        .with_resource(resource)
        .build())
}
