//! A classifier on the caller's own thread, one picture at a time, with nothing around it: what the worker's pipeline is
//! measured against. Not for serving: there is no queue, no batch and no cache.

use std::path::Path;

use millrace_contracts::ModelId;
use millrace_vision::Frame;
use ort::session::Session;
use ort::value::TensorRef;

use crate::families::family_of;
use crate::graph::GraphPort;
use crate::session::metadata_of;
use crate::{Facts, Family, InferenceError, Overrides, Repository, Runtime, Scoring, Tensor};

/// A session and its family, owned by the caller.
pub struct Bare {
    id: ModelId,
    session: Session,
    inputs: Vec<GraphPort>,
    family: Box<dyn Family>,
}

impl Bare {
    /// Opens the model `id` of `repository` with one thread.
    ///
    /// # Errors
    /// As [`crate::ModelLoader::load`].
    pub fn open(library: &Path, repository: &Repository, id: &ModelId) -> Result<Self, InferenceError> {
        let files = repository.find(id)?;
        let runtime = Runtime::load(library)?;
        let failed = |error: ort::Error| InferenceError::Load { id: id.clone(), detail: error.to_string() };
        let session = build(&runtime, &files.graph).map_err(failed)?;
        let inputs: Vec<GraphPort> = session.inputs().iter().map(GraphPort::from).collect();
        let facts = Facts {
            id: id.clone(),
            folder: files.folder,
            metadata: metadata_of(&session).map_err(failed)?,
            inputs: inputs.clone(),
            outputs: session.outputs().iter().map(GraphPort::from).collect(),
            companions: Vec::new(),
            config: serde_json::Map::new(),
            preprocessor: None,
            overrides: Overrides::default(),
        };
        Ok(Self { id: id.clone(), family: family_of(&facts.with_files()?)?, session, inputs })
    }

    /// Prepares one picture, runs the graph and reads its outputs; how many classes were scored.
    ///
    /// # Errors
    /// As a job of the model's block.
    pub fn run(&mut self, frame: &Frame) -> Result<usize, InferenceError> {
        let actual = self.family.task();
        let wrong = || InferenceError::WrongTask {
            id: self.id.clone(),
            wanted: "classification",
            actual,
            stranger: None,
        };
        let classifier = self.family.classifier().ok_or_else(wrong)?;
        let prepared = classifier.prepare(frame)?;
        let outputs = infer(&mut self.session, &self.inputs, &prepared.inputs)
            .map_err(|error| InferenceError::of_run(&self.id, error.to_string()))?;
        Ok(classifier.scores(&outputs, Scoring::Own)?.len())
    }
}

fn build(runtime: &Runtime, graph: &Path) -> Result<Session, ort::Error> {
    Session::builder(runtime.environment())?
        .with_intra_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .commit_from_file(graph)
}

fn infer(session: &mut Session, ports: &[GraphPort], inputs: &[Tensor]) -> Result<Vec<Tensor>, ort::Error> {
    let views = ports.iter().zip(inputs).map(|(port, input)| {
        let view = TensorRef::from_array_view((input.shape().to_vec(), input.data()))?;
        Ok((port.name.as_str(), view.into()))
    });
    let views: Vec<(&str, ort::session::SessionInputValue<'_>)> = views.collect::<Result<_, ort::Error>>()?;
    let outputs = session.run(views)?;
    let read = |(_, value): (&str, ort::value::ValueRef<'_>)| {
        let (shape, data) = value.try_extract_tensor::<f32>()?;
        let shape: Vec<usize> = shape.iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
        Tensor::new(shape, data.to_vec()).ok_or_else(|| ort::Error::new("an output without an axis"))
    };
    outputs.iter().map(read).collect()
}
