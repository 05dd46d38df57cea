//! A loaded model: its family, its session threads, and what is known of it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use millrace_contracts::ModelId;

use crate::families::family_of;
use crate::{
    Companion, Detector, Facts, Family, InferenceError, Inferred, Part, Repository, SessionSettings,
    SessionThread, Tensor,
};

/// A model that is ready to run. Its memory is given back when the last handle is dropped.
pub struct Model {
    info: ModelInfo,
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
    /// SHA-256 of its ONNX file, hex.
    pub digest: String,
    /// Its family.
    pub family: &'static str,
    /// What it is made for.
    pub task: &'static str,
    /// Names of its classes by index.
    pub labels: Vec<String>,
    /// Size of its files, bytes.
    pub bytes: u64,
    /// How long loading took.
    pub load_time: Duration,
}

impl Model {
    /// What is known of it.
    #[must_use]
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The model as a detector.
    ///
    /// # Errors
    /// [`InferenceError::WrongTask`] when it is none.
    pub fn detector(&self) -> Result<&dyn Detector, InferenceError> {
        let actual = self.info.task;
        let wrong = || InferenceError::WrongTask { id: self.info.id.clone(), wanted: "detection", actual };
        self.family.detector().ok_or_else(wrong)
    }

    /// Runs one request, batched with others that wait.
    ///
    /// # Errors
    /// As [`SessionThread::infer`].
    pub async fn infer(&self, inputs: Vec<Tensor>) -> Result<Inferred, InferenceError> {
        self.session.infer(inputs).await
    }

    /// Runs one request on one of its graphs, batched with others that wait for the same graph.
    ///
    /// # Errors
    /// As [`SessionThread::infer`]; [`InferenceError::Unsupported`] when it has no such graph.
    pub async fn infer_part(&self, part: Part, inputs: Vec<Tensor>) -> Result<Inferred, InferenceError> {
        let companion = self.companions.iter().find(|(own, _)| *own == part).map(|(_, session)| session);
        match (part, companion) {
            (_, Some(session)) => session.infer(inputs).await,
            (Part::Main, None) => self.session.infer(inputs).await,
            (_, None) => Err(InferenceError::Unsupported {
                id: self.info.id.clone(),
                detail: format!("it has no graph for {part:?}"),
            }),
        }
    }

    /// Runs one request by itself, for graphs whose first axes are not rows.
    ///
    /// # Errors
    /// As [`SessionThread::infer_alone`].
    pub async fn infer_alone(&self, inputs: Vec<Tensor>) -> Result<Inferred, InferenceError> {
        self.session.infer_alone(inputs).await
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Model").field(&self.info).finish()
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
    /// How its sessions run.
    pub sessions: SessionSettings,
}

/// Loads models from a repository.
#[derive(Debug, Clone)]
pub struct ModelLoader {
    settings: LoaderSettings,
}

impl ModelLoader {
    /// A loader with these settings.
    #[must_use]
    pub fn new(settings: LoaderSettings) -> Self {
        Self { settings }
    }

    /// The models it can load from.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.settings.repository
    }

    /// Loads a model. The work happens on the threads that will own its sessions.
    ///
    /// # Errors
    /// Everything from an id that is none to a family that is not known.
    pub async fn load(&self, id: &ModelId) -> Result<Model, InferenceError> {
        let begun = Instant::now();
        let files = self.settings.repository.find(id)?;
        let most = self.settings.max_bytes;
        if files.bytes > most {
            let detail = format!("its files have {} bytes, the limit is {most}", files.bytes);
            return Err(InferenceError::Load { id: id.clone(), detail });
        }
        let library = self.settings.library.clone();
        let (session, opened) =
            SessionThread::start(id, library, files.graph, self.settings.sessions).await?;
        let (mut companions, mut said) = (Vec::new(), Vec::new());
        for (part, graph) in files.companions {
            let library = self.settings.library.clone();
            let (session, opened) = SessionThread::start(id, library, graph, self.settings.sessions).await?;
            companions.push((part, session));
            said.push(Companion { part, inputs: opened.inputs, outputs: opened.outputs });
        }
        let facts = Facts {
            id: id.clone(),
            folder: files.folder,
            metadata: opened.metadata,
            inputs: opened.inputs,
            outputs: opened.outputs,
            companions: said,
        };
        // A family may read files, and a tokenizer's are large: not on the async runtime.
        let family = tokio::task::spawn_blocking(move || family_of(&facts)).await;
        let family = family.unwrap_or_else(|panic| {
            Err(InferenceError::Load { id: id.clone(), detail: format!("its family failed: {panic}") })
        })?;
        let info = ModelInfo {
            id: id.clone(),
            digest: opened.digest,
            family: family.name(),
            task: family.task(),
            labels: family.labels().to_vec(),
            bytes: files.bytes,
            load_time: begun.elapsed(),
        };
        Ok(Model { info, family, session, companions })
    }
}
