//! W3C trace context, version 00: `00-<trace id>-<span id>-<flags>`.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, Sampler, SamplingDecision, ShouldSample};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// A place in a trace, as it travels in headers and events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traceparent {
    trace: TraceId,
    span: SpanId,
    flags: TraceFlags,
}

/// Text that is not a W3C traceparent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a W3C traceparent (00-<32 hex digits>-<16 hex digits>-<2 hex digits>)")]
pub struct TraceparentError;

/// The share of new traces that is sampled, as the bits of an `f64`; all until `init` has read the settings.
static RATIO: AtomicU64 = AtomicU64::new(f64::to_bits(1.0));

/// Samples so much of the traces that begin from now on, 0 to 1.
pub(crate) fn sample(ratio: f64) {
    RATIO.store(ratio.to_bits(), Ordering::Relaxed);
}

/// What OpenTelemetry's own sampler says of a root.
fn is_sampled(trace: TraceId) -> bool {
    let sampler = Sampler::TraceIdRatioBased(f64::from_bits(RATIO.load(Ordering::Relaxed)));
    let result = sampler.should_sample(None, trace, "", &SpanKind::Internal, &[], &[]);
    result.decision == SamplingDecision::RecordAndSample
}

impl Traceparent {
    /// The root of a new trace, sampled as often as `telemetry.trace_ratio` says. Who follows it does as it says.
    #[must_use]
    pub fn generate() -> Self {
        let ids = RandomIdGenerator::default();
        let trace = ids.new_trace_id();
        let flags = TraceFlags::default().with_sampled(is_sampled(trace));
        Self { trace, span: ids.new_span_id(), flags }
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span: RandomIdGenerator::default().new_span_id(), ..*self }
    }

    /// The one that `header` holds, or the root of a new trace when it holds none.
    #[must_use]
    pub fn from_header(header: Option<&str>) -> Self {
        header.and_then(|text| text.parse().ok()).unwrap_or_else(Self::generate)
    }

    /// The trace's id, 32 hex digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.trace.to_string()
    }

    fn context(&self) -> Context {
        let span = SpanContext::new(self.trace, self.span, self.flags, true, TraceState::default());
        Context::new().with_remote_span_context(span)
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace, self.span, self.flags.to_u8())
    }
}

impl FromStr for Traceparent {
    type Err = TraceparentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.trim().split('-');
        let mut part = |length: usize| {
            let part = parts.next().ok_or(TraceparentError)?;
            let digits = part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
            if part.len() == length && digits { Ok(part) } else { Err(TraceparentError) }
        };
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        let trace = TraceId::from_hex(trace).map_err(|_| TraceparentError)?;
        let span = SpanId::from_hex(span).map_err(|_| TraceparentError)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| TraceparentError)?;
        // Later versions may add parts; version 00 has none.
        let trailing = version == "00" && parts.next().is_some();
        if version == "ff" || trailing || trace == TraceId::INVALID || span == SpanId::INVALID {
            return Err(TraceparentError);
        }
        Ok(Self { trace, span, flags: TraceFlags::new(flags) & TraceFlags::SAMPLED })
    }
}

/// Hangs `span` below the place that `traceparent` names; does nothing when it names none or nothing is exported.
pub fn follow(span: &tracing::Span, traceparent: Option<&str>) {
    let Some(parent) = traceparent.and_then(|text| text.parse::<Traceparent>().ok()) else { return };
    // Refused where no exporter is set up, which is the usual case.
    _ = span.set_parent(parent.context());
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_survives_its_text_and_children_stay_in_the_trace() {
        let given: Traceparent = TEXT.parse().unwrap();
        assert_eq!(given.to_string(), TEXT);
        let child = given.child();
        assert_eq!(child.trace_id(), given.trace_id());
        assert_ne!(child, given);
        let own = Traceparent::generate();
        assert_eq!(own.to_string().parse::<Traceparent>().unwrap(), own);
        assert_eq!(Traceparent::from_header(Some(TEXT)), given);
        assert_ne!(Traceparent::from_header(Some("nonsense")).trace_id(), given.trace_id());
    }

    #[test]
    fn what_is_not_one_is_refused() {
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(wrong.parse::<Traceparent>(), Err(TraceparentError), "{wrong}");
        }
    }
}
