//! Runs that are given our own memory and give back the runtime's: nothing is copied in when one request runs by itself.

use ort::session::{RunOptions, Session, SessionInputValue};

use super::exchange::{Fault, tensors_of, view_of};
use super::feed::Feed;
use crate::graph::GraphPort;
use crate::{ElementType, Tensor};

/// One run.
pub(super) fn run(
    session: &mut Session,
    ports: &[GraphPort],
    feed: &Feed<'_>,
    options: &RunOptions,
) -> Result<Vec<Tensor>, Fault> {
    let stacked: Vec<Tensor>;
    let inputs = if let Some(inputs) = feed.whole() {
        inputs
    } else {
        stacked = (0..ports.len()).filter_map(|port| feed.stack(port)).collect();
        &stacked
    };
    let as_wanted = |(tensor, port): (&Tensor, &GraphPort)| {
        (port.element == ElementType::F16).then(|| tensor.in_half_precision()).flatten()
    };
    let halved: Vec<Option<Tensor>> = inputs.iter().zip(ports).map(as_wanted).collect();
    let mut values: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len());
    for ((tensor, halved), port) in inputs.iter().zip(&halved).zip(ports) {
        values.push((port.name.as_str(), view_of(halved.as_ref().unwrap_or(tensor))?));
    }
    tensors_of(&session.run_with_options(values, options)?)
}
