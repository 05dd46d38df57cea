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

fn ratio() -> f64 {
    f64::from_bits(RATIO.load(Ordering::Relaxed))
}

/// What OpenTelemetry's own sampler says of a root.
fn is_sampled(trace: TraceId, ratio: f64) -> bool {
    let result =
        Sampler::TraceIdRatioBased(ratio).should_sample(None, trace, "", &SpanKind::Internal, &[], &[]);
    result.decision == SamplingDecision::RecordAndSample
}

/// An id whose bits are all as good as random (the finaliser of SplitMix64). The sampler compares some bits of an id with the
/// ratio, and those of a UUID are a time and a version in part.
fn mixed(id: u128) -> TraceId {
    let mut bits = (id >> 64) as u64 ^ (id as u64).rotate_left(32);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    TraceId::from((u128::from(bits) << 64) | u128::from(bits))
}

impl Traceparent {
    /// The root of a new trace, sampled as often as `telemetry.trace_ratio` says. Who follows it does as it says.
    #[must_use]
    pub fn generate() -> Self {
        let ids = RandomIdGenerator::default();
        let trace = ids.new_trace_id();
        let flags = TraceFlags::default().with_sampled(is_sampled(trace, ratio()));
        Self { trace, span: ids.new_span_id(), flags }
    }

    /// The root of the trace that is called `id`: the same however often it is asked for, and sampled as often among many as
    /// [`Traceparent::generate`].
    #[must_use]
    pub fn of(id: u128) -> Self {
        Self::of_within(id, ratio())
    }

    fn of_within(id: u128, ratio: f64) -> Self {
        let flags = TraceFlags::default().with_sampled(is_sampled(mixed(id), ratio));
        Self { trace: TraceId::from(id), span: SpanId::from(id as u64), flags }
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
    fn the_root_of_a_named_trace_is_the_same_each_time_and_sampled_as_often_as_others() {
        // As UUIDs of version 7 are: a time, a version, a variant, and what is as good as chance.
        let id = |n: u64| {
            let time = u128::from(0x0199_b5a2_0000 + n) << 80;
            let chance = u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2);
            time | 0x7000 << 64 | 1 << 63 | chance
        };
        let ids: Vec<u128> = (1..=10_000).map(id).collect();
        let sampled = |ratio: f64| {
            let roots = ids.iter().map(|id| Traceparent::of_within(*id, ratio));
            roots.filter(|root| root.to_string().ends_with("-01")).count()
        };
        assert_eq!((sampled(0.0), sampled(1.0)), (0, 10_000));
        for ratio in [0.25, 0.5, 0.75] {
            let share = sampled(ratio) as f64 / 10_000.0;
            assert!((share - ratio).abs() < 0.05, "{share} of {ratio}");
        }
        let one = Traceparent::of_within(ids[7], 0.5);
        assert_eq!(one, Traceparent::of_within(ids[7], 0.5));
        assert_eq!(one.to_string().parse::<Traceparent>().unwrap(), one);
        assert_eq!(one.trace_id(), format!("{:032x}", ids[7]));
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
