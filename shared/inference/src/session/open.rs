//! An open session: the graph, loaded, and one run of it.

use std::collections::BTreeMap;
use std::path::Path;

use millrace_contracts::ModelId;
use millrace_onnx::skim;
use ort::session::Session;

use super::crew::Crew;
use super::exchange::Fault;
use super::feed::Feed;
use super::limit::GraphRows;
use super::running::Slot;
use super::transfer::Way;
use super::{Opened, Request, SessionSettings};
use crate::graph::GraphPort;
use crate::{Device, ElementType, InferenceError, Runtime, Tensor, literal};

/// Rows that a graph may insist on: all of them are made up for every run.
const MOST_ROWS: usize = 1024;

/// A session, owned by the thread that opened it.
pub(super) struct OpenSession {
    id: ModelId,
    device: Device,
    // Before the session, whose memory it holds.
    way: Way,
    session: Session,
    inputs: Vec<GraphPort>,
    output_names: Vec<String>,
    /// Whether a row's numbers depend on the rows beside it.
    mixes_rows: bool,
    /// Rows that it answers, though its batch axis is free.
    answered_rows: Option<usize>,
}

impl OpenSession {
    pub(super) fn open(
        runtime: &Runtime,
        id: &ModelId,
        graph: &Path,
        settings: &SessionSettings,
        crew: Option<Crew>,
    ) -> Result<(Self, Opened), InferenceError> {
        let failed = |error: ort::Error| InferenceError::of_load(id, error.to_string());
        let session = build(runtime, graph, settings, crew).map_err(failed)?;
        let metadata = metadata_of(&session).map_err(failed)?;
        let way = Way::open(id, &session, settings).map_err(failed)?;
        let inputs: Vec<GraphPort> = session.inputs().iter().map(GraphPort::from).collect();
        let outputs: Vec<GraphPort> = session.outputs().iter().map(GraphPort::from).collect();
        let output_names = outputs.iter().map(|port| port.name.clone()).collect();
        let answered_rows = answered_rows(&metadata);
        let opened = Opened { metadata, inputs: inputs.clone(), outputs };
        let device = settings.device;
        let mixes_rows = mixes_rows(graph);
        let id = id.clone();
        let open = Self { id, device, way, session, inputs, output_names, mixes_rows, answered_rows };
        if let Some(rows) = open.fixed_rows().filter(|rows| *rows > MOST_ROWS) {
            let detail = format!(
                "its graph takes {rows} rows at once, {MOST_ROWS} are allowed; export it with a free batch axis"
            );
            return Err(InferenceError::Unsupported { id: open.id, detail });
        }
        Ok((open, opened))
    }

    pub(super) fn id(&self) -> &ModelId {
        &self.id
    }

    /// What it holds in its arenas, bytes: what runs need, weights that were packed for them, and pinned memory.
    pub(super) fn arena_bytes(&self) -> u64 {
        let (device, number) = self.device.memory();
        let own = millrace_arena::arena_bytes(&self.session, device, number).unwrap_or(0);
        own + self.way.bytes(&self.session, self.device)
    }

    /// The rows the graph insists on; none when its batch axis is free.
    pub(super) fn fixed_rows(&self) -> Option<usize> {
        self.inputs.first()?.shape.first().copied().flatten()
    }

    /// The rows that the graph takes at most, where it has a say in it.
    fn most_rows(&self) -> Option<usize> {
        self.fixed_rows().or(self.answered_rows)
    }

    /// What the graph has to say of the rows of a batch. One that quantises as it runs takes its steps from the whole batch: a
    /// request runs by itself there, so that what it gets does not depend on who else is there.
    pub(super) fn batch_rows(&self) -> GraphRows {
        match (self.mixes_rows, self.fixed_rows(), self.answered_rows) {
            (true, ..) => GraphRows::Exactly(1),
            (false, Some(fixed), _) => GraphRows::Exactly(fixed),
            (false, None, Some(most)) => GraphRows::AtMost(most),
            (false, None, None) => GraphRows::Any,
        }
    }

    /// Refuses inputs that cannot be meant for this graph, before they are put in a batch with others'.
    /// Those of a request that runs alone have a first axis like any other.
    pub(super) fn check(&self, inputs: &[Tensor], alone: bool) -> Result<(), InferenceError> {
        let fault = |detail: String| InferenceError::Input { id: self.id.clone(), detail };
        if inputs.len() != self.inputs.len() {
            return Err(fault(format!("it takes {} tensors, not {}", self.inputs.len(), inputs.len())));
        }
        for (tensor, port) in inputs.iter().zip(&self.inputs) {
            let fits = tensor.shape().len() == port.shape.len()
                && tensor
                    .shape()
                    .iter()
                    .zip(&port.shape)
                    .skip(usize::from(!alone))
                    .all(|(side, want)| want.is_none_or(|want| want == *side));
            if !fits {
                return Err(fault(format!(
                    "{} has the shape {:?}, the graph takes {:?}",
                    port.name,
                    tensor.shape(),
                    port.shape
                )));
            }
            let (have, want) = (tensor.element_type(), port.element);
            // Single precision is what we compute in; a graph in half precision is given that.
            if have != want && (have, want) != (ElementType::F32, ElementType::F16) {
                let (have, want) = (have.as_str(), want.as_str());
                return Err(fault(format!("{} has the type {have}, the graph takes {want}", port.name)));
            }
        }
        if alone {
            return Ok(());
        }
        match (inputs.first().map_or(0, Tensor::rows), self.most_rows()) {
            (0, _) => Err(fault("it has no rows".to_owned())),
            (rows, Some(most)) if rows > most => Err(fault(format!("{rows} rows, the graph takes {most}"))),
            _ => Ok(()),
        }
    }

    /// One run, for `requests`. Numbers in single precision are given in half precision to a graph that wants that.
    pub(super) fn run(
        &mut self,
        feed: &Feed<'_>,
        slot: &Slot,
        requests: &[Request],
    ) -> Result<Vec<Tensor>, InferenceError> {
        let Self { id, way, session, inputs, .. } = self;
        slot.with(requests, |options| way.run(session, inputs, feed, options)).map_err(|fault| match fault {
            Fault::Run(error) => InferenceError::of_run(id, error.to_string()),
            Fault::Output(detail) => InferenceError::Output { id: id.clone(), detail },
        })
    }

    /// Gives back what is kept for the next run only: memory is short.
    pub(super) fn release(&mut self) {
        self.way.release();
    }

    /// Refuses outputs that cannot be shared out among the rows of a batch.
    pub(super) fn check_rows(&self, outputs: &[Tensor], rows: usize) -> Result<(), InferenceError> {
        let odd = outputs.iter().position(|output| output.shape().first() != Some(&rows));
        let Some(odd) = odd else { return Ok(()) };
        let (name, shape) = (self.output_names.get(odd), outputs[odd].shape());
        let name = name.map_or("an output", String::as_str);
        let detail = format!("{name}: the shape {shape:?} does not have {rows} rows");
        Err(InferenceError::Output { id: self.id.clone(), detail })
    }
}

/// Rows that an Ultralytics export answers which suppresses boxes by itself: it goes through as many as it was exported for, and
/// leaves the rest empty without a word, though it takes any number (`dynamic=True, nms=True`).
fn answered_rows(metadata: &BTreeMap<String, String>) -> Option<usize> {
    let said = |key: &str| literal::parse(metadata.get(key)?.trim()).ok();
    let suppresses = said("args")?.get("nms")?.as_bool()?;
    let rows = said("batch").and_then(|rows| rows.as_u64()).and_then(|rows| usize::try_from(rows).ok());
    suppresses.then(|| rows.unwrap_or(1).max(1))
}

/// Whether the graph quantises as it runs. One that cannot be skimmed says nothing of it; it was opened all the same.
fn mixes_rows(graph: &Path) -> bool {
    let skimmed = skim(graph).inspect_err(
        |error| tracing::debug!(file = %graph.display(), %error, "a graph cannot be skimmed; its rows run together"),
    );
    skimmed.is_ok_and(|skimmed| skimmed.is_dynamic)
}

fn build(
    runtime: &Runtime,
    graph: &Path,
    settings: &SessionSettings,
    crew: Option<Crew>,
) -> Result<Session, ort::Error> {
    let mut builder = Session::builder(runtime.environment())?;
    if let Some(crew) = crew {
        builder = builder.with_thread_manager(crew)?;
    }
    // Spinning threads burn a core while they wait: on a machine shared with decoding that costs more than it gives.
    builder
        .with_execution_providers(settings.device.providers(settings.gpu))?
        .with_intra_threads(settings.intra_op_threads.max(1))?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .commit_from_file(graph)
}

pub(crate) fn metadata_of(session: &Session) -> Result<BTreeMap<String, String>, ort::Error> {
    let metadata = session.metadata()?;
    let keys = metadata.custom_keys()?;
    Ok(keys.into_iter().filter_map(|key| metadata.custom(&key).map(|value| (key, value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_that_suppresses_answers_as_many_rows_as_it_was_made_for() {
        let rows = |args: &str, batch: &str| {
            let said =
                [("args", args), ("batch", batch)].map(|(key, text)| (key.to_owned(), text.to_owned()));
            answered_rows(&said.into_iter().filter(|(_, text)| !text.is_empty()).collect())
        };
        assert_eq!(rows("{'batch': 4, 'nms': True, 'dynamic': True}", "4"), Some(4));
        assert_eq!(rows("{'nms': True}", ""), Some(1), "older ones do not say for how many");
        assert_eq!(rows("{'nms': None, 'dynamic': True}", "1"), None);
        assert_eq!(rows("{'nms': False}", "1"), None);
        assert_eq!(rows("", "1"), None);
    }
}
