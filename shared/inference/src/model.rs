//! A loaded model: its family, its session threads, and what is known of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_contracts::model::ModelDescription;
use millrace_contracts::{ModelDigest, ModelId};
use millrace_tasks::Courtesy;

use crate::aside;
use crate::blank::{blank, input_size};
use crate::cache::Lease;
use crate::digest::digest_of;
use crate::families::family_of;
use crate::session::{Around, SessionFiles};
use crate::{
    Classifier, Companion, Detector, Device, Embedder, Facts, Family, InferenceError, Inferred, ModelFiles,
    Part, Pending, RawModel, Relief, Repository, Rows, Runtime, Segmenter, Serving, SessionSettings,
    SessionThread,
};

/// A model that is ready to run. Out of a cache it is a lease: the model stays loaded for as long as it is held.
pub struct Model {
    // Dropped before the lease, so that who waits for the lease's end finds the core unshared.
    core: Arc<Core>,
    _lease: Option<Lease>,
}

/// What is loaded: memory, and the threads that use it.
pub(crate) struct Core {
    info: ModelInfo,
    /// Size of its files, once for each session.
    read_bytes: u64,
    family: Box<dyn Family>,
    session: SessionThread,
    /// The sessions of its further graphs: each with a queue of its own, so that texts and pictures batch apart.
    companions: Vec<(Part, SessionThread)>,
}

/// What is known of a loaded model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// Its name.
    pub id: ModelId,
    /// Which copy of it this is: the digest of its files.
    pub digest: ModelDigest,
    /// Its family.
    pub family: &'static str,
    /// What it is made for.
    pub task: &'static str,
    /// Names of its classes by index.
    pub labels: Vec<String>,
    /// How many numbers its vectors have; none of one that gives none, or does not say.
    pub embedding_dimension: Option<u32>,
    /// Width and height of the pictures that its graph is given, pixels; none where that depends on the picture, and of a model
    /// that takes none.
    pub input_size: Option<[u32; 2]>,
    /// Size of its files, bytes.
    pub bytes: u64,
    /// How long loading took.
    pub load_time: Duration,
}

impl ModelInfo {
    /// What is told of it to those who list models.
    #[must_use]
    pub fn description(&self) -> ModelDescription {
        ModelDescription {
            id: self.id.clone(),
            family: self.family.to_owned(),
            task: self.task.to_owned(),
            labels: self.labels.clone(),
            embedding_dimension: self.embedding_dimension,
            input_size: self.input_size,
            file_bytes: Some(self.bytes),
            digest: Some(self.digest.clone()),
        }
    }
}

impl Model {
    pub(crate) fn leased(core: Arc<Core>, lease: Lease) -> Self {
        Self { core, _lease: Some(lease) }
    }

    /// Whether it is this very copy.
    pub(crate) fn is_of(&self, core: &Arc<Core>) -> bool {
        Arc::ptr_eq(&self.core, core)
    }

    /// What is known of it.
    #[must_use]
    pub fn info(&self) -> &ModelInfo {
        &self.core.info
    }

    /// The model as a detector.
    ///
    /// # Errors
    /// [`InferenceError::WrongTask`] when it is none.
    pub fn detector(&self) -> Result<&dyn Detector, InferenceError> {
        self.core.family.detector().ok_or_else(|| self.made_for_something_else("detection"))
    }

    /// The model as one that gives vectors.
    ///
    /// # Errors
    /// [`InferenceError::WrongTask`] when it is none.
    pub fn embedder(&self) -> Result<&dyn Embedder, InferenceError> {
        self.core.family.embedder().ok_or_else(|| self.made_for_something_else("embedding"))
    }

    /// The model as one that finds regions.
    ///
    /// # Errors
    /// [`InferenceError::WrongTask`] when it is none.
    pub fn segmenter(&self) -> Result<&dyn Segmenter, InferenceError> {
        self.core.family.segmenter().ok_or_else(|| self.made_for_something_else("segmentation"))
    }

    /// The model as one of plain tensors.
    ///
    /// # Errors
    /// [`InferenceError::WrongTask`] when it is none.
    pub fn raw(&self) -> Result<&RawModel, InferenceError> {
        self.core.family.raw().ok_or_else(|| self.made_for_something_else("raw tensors"))
    }

    fn made_for_something_else(&self, wanted: &'static str) -> InferenceError {
        let ModelInfo { id, task: actual, .. } = &self.core.info;
        let stranger = self.core.family.raw().and_then(RawModel::stranger).map(str::to_owned);
        InferenceError::WrongTask { id: id.clone(), wanted, actual, stranger }
    }

    /// The model as a classifier.
    ///
    /// # Errors
    /// [`InferenceError::WrongTask`] when it is none.
    pub fn classifier(&self) -> Result<&dyn Classifier, InferenceError> {
        self.core.family.classifier().ok_or_else(|| self.made_for_something_else("classification"))
    }

    /// Runs one request, batched with others that wait.
    ///
    /// # Errors
    /// As [`SessionThread::infer`].
    pub async fn infer(&self, rows: impl Into<Rows>) -> Result<Inferred, InferenceError> {
        self.core.session.infer(rows).await
    }

    /// Runs one request on one of its graphs, batched with others that wait for the same graph.
    ///
    /// # Errors
    /// As [`SessionThread::infer`]; [`InferenceError::Unsupported`] when it has no such graph.
    pub async fn infer_part(&self, part: Part, rows: impl Into<Rows>) -> Result<Inferred, InferenceError> {
        match self.core.session_of(part) {
            Some(session) => session.infer(rows).await,
            None => Err(InferenceError::Unsupported {
                id: self.core.info.id.clone(),
                detail: format!("it has no graph for {part:?}"),
            }),
        }
    }

    /// As [`Model::infer_part`] for whoever cannot wait: puts the request in the queue of its graph. Gives it back when that is full
    /// or closed, or when there is no such graph.
    ///
    /// # Errors
    /// The request.
    pub fn begin(&self, part: Part, rows: Rows) -> Result<Pending, Rows> {
        match self.core.session_of(part) {
            Some(session) => session.begin(rows),
            None => Err(rows),
        }
    }

    /// Runs one request by itself, for graphs whose first axes are not rows.
    ///
    /// # Errors
    /// As [`SessionThread::infer_alone`].
    pub async fn infer_alone(&self, rows: impl Into<Rows>) -> Result<Inferred, InferenceError> {
        self.core.session.infer_alone(rows).await
    }
}

impl Core {
    pub(crate) fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// What loading it read, bytes: its files, once for each of its sessions.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// What its sessions hold in their arenas, bytes.
    pub(crate) fn arena_bytes(&self) -> u64 {
        self.sessions().map(SessionThread::arena_bytes).sum()
    }

    /// The session of one of its graphs; that of the main one, where the main one has no other name.
    fn session_of(&self, part: Part) -> Option<&SessionThread> {
        let companion = self.companions.iter().find(|(own, _)| *own == part).map(|(_, session)| session);
        companion.or_else(|| (part == Part::Main).then_some(&self.session))
    }

    fn sessions(&self) -> impl Iterator<Item = &SessionThread> {
        std::iter::once(&self.session).chain(self.companions.iter().map(|(_, session)| session))
    }

    /// Rows that its next batch may have.
    pub(crate) fn batch_limit(&self) -> usize {
        self.session.batch_limit()
    }

    /// Runs `rows` rows of zeros in each session where the graph says how large a row is, else one row of a blank as the family
    /// prepares it: the first real one then finds memory, kernels and caches in place, and what the model takes is known. A graph that
    /// fails on nothing says nothing about real rows.
    pub(crate) async fn warm_up(&self, rows: usize) {
        let main = std::iter::once((Part::Main, &self.session));
        for (part, session) in main.chain(self.companions.iter().map(|(part, session)| (*part, session))) {
            let blank = || blank(self.family.as_ref(), part);
            let run = match session.zeros(rows).map(Ok).or_else(blank) {
                Some(Ok(inputs)) => session.warm_up(inputs).await,
                Some(Err(error)) => Err(error),
                None => continue,
            };
            if let Err(error) = run {
                tracing::debug!(model.id = %self.info.id, %error, "a warm-up run failed");
            }
        }
    }

    /// Stops runs whose callers all went away.
    pub(crate) fn stop_abandoned(&self) {
        self.sessions().for_each(SessionThread::stop_abandoned);
    }

    /// Ends its threads and waits for them: its memory is free afterwards.
    pub(crate) fn end(self) {
        self.session.end();
        self.companions.into_iter().for_each(|(_, session)| session.end());
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Model").field(&self.core.info).finish()
    }
}

/// What loading needs.
#[derive(Debug, Clone)]
pub struct LoaderSettings {
    /// Absolute path of ONNX Runtime's library; loaded with the first model.
    pub library: PathBuf,
    /// The folder of models.
    pub repository: Repository,
    /// The largest model that is loaded, bytes.
    pub max_bytes: u64,
    /// How sessions run.
    pub sessions: SessionSettings,
    /// What the operator wants otherwise for single models.
    pub serving: HashMap<ModelId, Serving>,
}

/// What is to be expected of a model that need not be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prospect {
    /// Jobs of it that are worth having in hand at once: what its sessions run, and one batch more that is made ready
    /// meanwhile.
    pub concurrency: usize,
    /// Whether that is what somebody set, and no more may be in hand for whatever reason.
    pub is_limit: bool,
    /// Size of its files, once for each of its sessions, bytes; none when it is not in the repository.
    pub file_bytes: Option<u64>,
}

/// Loads models from a repository.
#[derive(Debug, Clone)]
pub struct ModelLoader {
    settings: LoaderSettings,
    courtesy: Courtesy,
}

impl ModelLoader {
    /// A loader with these settings.
    #[must_use]
    pub fn new(settings: LoaderSettings) -> Self {
        Self { settings, courtesy: Courtesy::default() }
    }

    /// Its sessions leave a core to whoever waits for one thing alone, as long as they run on cores.
    #[must_use]
    pub fn with_courtesy(mut self, courtesy: Courtesy) -> Self {
        self.courtesy = if self.device() == Device::Cpu { courtesy } else { Courtesy::default() };
        self
    }

    /// The models it can load from.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.settings.repository
    }

    /// What its models run on.
    #[must_use]
    pub fn device(&self) -> Device {
        self.settings.sessions.device
    }

    /// How the model in `folder` is run: as the operator says, else as it says itself.
    fn serving(&self, id: &ModelId, folder: &Path) -> Result<Serving, InferenceError> {
        let own = Serving::of_folder(id, folder)?;
        Ok(self.settings.serving.get(id).copied().unwrap_or_default().or(own))
    }

    /// What is to be expected of a model, by its files. Reads them: not for the async runtime.
    #[must_use]
    pub fn prospect(&self, id: &ModelId) -> Prospect {
        let files = self.settings.repository.find(id).ok();
        let serving = files.as_ref().and_then(|files| self.serving(id, &files.folder).ok());
        let serving = serving.unwrap_or_default();
        let own = serving.on(self.settings.sessions).for_files(files.as_ref().map_or(0, |files| files.bytes));
        let usual = own.max_batch.max(1) * (own.sessions + 1);
        Prospect {
            concurrency: serving.concurrency.unwrap_or(usual).max(1),
            is_limit: serving.concurrency.is_some(),
            file_bytes: files.map(|files| own.read_bytes(files.bytes)),
        }
    }

    /// How the model of these files is run.
    fn sessions(&self, files: &ModelFiles) -> Result<SessionSettings, InferenceError> {
        let serving = self.serving(&files.id, &files.folder)?;
        Ok(serving.on(self.settings.sessions).for_files(files.bytes))
    }

    /// What a load of these files reads, bytes: each session has weights of its own.
    ///
    /// # Errors
    /// [`InferenceError::Load`] when its folder does not read.
    pub(crate) fn read_bytes(&self, files: &ModelFiles) -> Result<u64, InferenceError> {
        Ok(self.sessions(files)?.read_bytes(files.bytes))
    }

    /// The copy of a model that the repository has now, without loading it. Reads its files: not for the async runtime.
    ///
    /// # Errors
    /// As [`Repository::find`]; [`InferenceError::Load`] when the files cannot be read.
    pub fn digest(&self, id: &ModelId) -> Result<ModelDigest, InferenceError> {
        let files = self.settings.repository.find(id)?;
        digest_of(&files).map_err(|error| InferenceError::Load { id: id.clone(), detail: error.to_string() })
    }

    /// Loads a model. The work happens on the threads that will own its sessions.
    ///
    /// # Errors
    /// Everything from an id that is none to a family that is not known.
    pub async fn load(&self, id: &ModelId) -> Result<Model, InferenceError> {
        let core = self.load_core(id, Arc::new(())).await?;
        Ok(Model { core: Arc::new(core), _lease: None })
    }

    /// Refuses a model that is too large to be loaded.
    pub(crate) fn check_size(&self, files: &ModelFiles) -> Result<(), InferenceError> {
        let most = self.settings.max_bytes;
        if files.bytes <= most {
            return Ok(());
        }
        let detail = format!("its files have {} bytes, the limit is {most}", files.bytes);
        Err(InferenceError::Load { id: files.id.clone(), detail })
    }

    /// As [`ModelLoader::load`], with somebody who can give memory back.
    pub(crate) async fn load_core(
        &self,
        id: &ModelId,
        relief: Arc<dyn Relief>,
    ) -> Result<Core, InferenceError> {
        let files = self.settings.repository.find(id)?;
        self.check_size(&files)?;
        let library = self.settings.library.clone();
        // Not on the model's account: the first one would seem slow to load for ever.
        Runtime::load(&library)?;
        let begun = Instant::now();
        let sessions = self.sessions(&files)?;
        let around = Around { relief, courtesy: self.courtesy.clone() };
        let start = |graph| {
            let weights = files.weights.clone();
            let files = SessionFiles { graph, weights };
            SessionThread::start(id, library.clone(), files, sessions, around.clone())
        };
        let (session, opened) = start(files.graph.clone()).await?;
        let (mut companions, mut said) = (Vec::new(), Vec::new());
        for (part, graph) in files.companions.clone() {
            let (session, opened) = start(graph).await?;
            companions.push((part, session));
            said.push(Companion { part, inputs: opened.inputs, outputs: opened.outputs });
        }
        let facts = Facts {
            id: id.clone(),
            folder: files.folder.clone(),
            metadata: opened.metadata,
            inputs: opened.inputs,
            outputs: opened.outputs,
            companions: said,
            config: serde_json::Map::new(),
            preprocessor: None,
            overrides: crate::Overrides::default(),
        };
        let (bytes, read_bytes) = (files.bytes, sessions.read_bytes(files.bytes));
        let failed = |detail| InferenceError::Load { id: id.clone(), detail };
        // Families read files, and the digest all of them: not on the async runtime, and giving way to running models.
        let reading = aside::run(move || {
            let digest = digest_of(&files)
                .map_err(|error| InferenceError::Load { id: files.id.clone(), detail: error.to_string() });
            let family = family_of(&facts.with_files()?)?;
            let input_size = input_size(family.as_ref());
            Ok((family, input_size, digest?))
        });
        let (family, input_size, digest) = reading.await.unwrap_or_else(|fault| Err(failed(fault)))?;
        let info = ModelInfo {
            id: id.clone(),
            digest,
            family: family.name(),
            task: family.task(),
            labels: family.labels().to_vec(),
            embedding_dimension: family.embedder().and_then(Embedder::dimension),
            input_size,
            bytes,
            load_time: begun.elapsed(),
        };
        Ok(Core { info, read_bytes, family, session, companions })
    }
}
