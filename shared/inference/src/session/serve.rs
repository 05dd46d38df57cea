//! The loop of a session's thread: wait, gather what is there, run. A session that panicked, or failed several times in a
//! row, is opened anew before it runs anything else. One whose device is beyond use is not: nothing would be better afterwards.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use millrace_contracts::ModelId;
use tokio::sync::oneshot;

use super::crew::{self, Crew};
use super::open::OpenSession;
use super::queue::Queue;
use super::running::Slot;
use super::{Arenas, Opened, Relief, SessionSettings};
use crate::{InferenceError, Runtime};

/// Failed runs in a row after which a session is not trusted any more.
const MOST_FAILURES: usize = 3;

/// How to open a session, as often as need be.
#[derive(Debug, Clone)]
pub(super) struct Opener {
    pub(super) library: PathBuf,
    pub(super) id: ModelId,
    pub(super) files: SessionFiles,
    pub(super) settings: SessionSettings,
}

/// What a session is opened of.
#[derive(Debug, Clone)]
pub(crate) struct SessionFiles {
    pub(crate) graph: PathBuf,
    /// Files of weights that it may read beside the graph.
    pub(crate) weights: Vec<PathBuf>,
}

/// Size and time of each of them; none for one that is not there.
type Standing = Vec<Option<(u64, Option<SystemTime>)>>;

impl SessionFiles {
    fn standing(&self) -> Standing {
        let stand = |path: &PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.len(), metadata.modified().ok()))
        };
        std::iter::once(&self.graph).chain(&self.weights).map(stand).collect()
    }
}

/// What a session's thread works with.
pub(super) struct Served {
    pub(super) opener: Opener,
    pub(super) queue: Arc<Queue>,
    pub(super) arenas: Arc<Arenas>,
    pub(super) slot: Slot,
    /// Which of the model's sessions it is.
    pub(super) number: usize,
    pub(super) relief: Arc<dyn Relief>,
}

/// The health of a session.
#[derive(Debug, Default)]
pub(super) struct Trust {
    failures: usize,
    broken: bool,
    /// That its device is beyond use, and why.
    pub(super) lost: Option<InferenceError>,
    /// The most cells and rows it has run.
    largest: (u64, usize),
}

impl Trust {
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    pub(super) fn failed(&mut self) {
        self.failures += 1;
        self.broken |= self.failures >= MOST_FAILURES;
    }

    pub(super) fn panicked(&mut self) {
        self.broken = true;
    }

    /// Whether no run before had so many cells, or so many rows.
    pub(super) fn is_largest(&mut self, (cells, rows): (u64, usize)) -> bool {
        let (most_cells, most_rows) = self.largest;
        self.largest = (cells.max(most_cells), rows.max(most_rows));
        self.largest != (most_cells, most_rows)
    }
}

impl Opener {
    /// Opens it for the first time: beside running models, to which it gives way. To run, it does not.
    fn open_aside(&self) -> Result<(OpenSession, Opened), InferenceError> {
        let opener = self.clone();
        let opened = crew::open_aside(&format!("operators {}", self.id), move |crew| opener.open(Some(crew)));
        opened.unwrap_or_else(|detail| Err(InferenceError::Load { id: self.id.clone(), detail }))
    }

    /// Without a crew its threads are started by the calling thread.
    fn open(&self, crew: Option<Crew>) -> Result<(OpenSession, Opened), InferenceError> {
        let runtime = Runtime::load(&self.library)?;
        OpenSession::open(&runtime, &self.id, &self.files.graph, &self.settings, crew)
    }

    /// Opens it once more. Its files have to be those that it was opened of before: what is known of the model, its digest among
    /// it, is known of those.
    fn open_again(&self, stood: &Standing) -> Result<OpenSession, InferenceError> {
        let (session, _) = self.open(None)?;
        if self.files.standing() == *stood {
            return Ok(session);
        }
        let detail = "its files are not those that it was loaded from".to_owned();
        Err(InferenceError::Load { id: self.id.clone(), detail })
    }
}

/// A session that serves its model's queue, until it is dropped, whatever ends its thread.
struct Serving<'a>(&'a Served);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.queue.give_up(self.0.number);
    }
}

impl Served {
    /// What the session holds by now.
    pub(super) fn note(&self, session: &OpenSession) {
        self.arenas.note(self.number, session.arena_bytes());
    }

    /// Opens the session, says so, and runs batches until the queue is closed and empty.
    pub(super) fn run(self, ready: oneshot::Sender<Result<Opened, InferenceError>>) {
        let _serving = Serving(&self);
        let stood = self.opener.files.standing();
        let session = match self.opener.open_aside() {
            Ok((session, opened)) => {
                self.note(&session);
                // A caller who no longer waits dropped the handle too, which ends the loop at once.
                if ready.send(Ok(opened)).is_err() {
                    return;
                }
                session
            }
            Err(error) => return drop(ready.send(Err(error))),
        };
        self.serve(session, &stood);
    }

    /// Runs batches until the queue is closed and empty, or there is nothing to run them on.
    fn serve(&self, mut session: OpenSession, stood: &Standing) {
        let mut trust = Trust::default();
        while let Some(batch) = self.queue.gather(self.number, session.batch_rows()) {
            let size = batch.size();
            if let Some(took) = batch.run(&mut session, &mut trust, self) {
                self.queue.learn(size, took);
            }
            if let Some(lost) = &trust.lost {
                tracing::error!(model.id = %self.opener.id, error = %lost, "a session has lost its device");
                return self.queue.lose(lost);
            }
            if trust.broken {
                tracing::error!(model.id = %self.opener.id, "a session cannot be trusted any more; opening it anew");
                // Closed first: there may be no room for two.
                drop(session);
                let Some(fresh) = self.opened_anew(stood) else { return };
                (session, trust) = (fresh, Trust::default());
            }
        }
    }

    fn opened_anew(&self, stood: &Standing) -> Option<OpenSession> {
        let told = |error: &InferenceError| {
            tracing::error!(model.id = %self.opener.id, %error, "a session could not be opened anew");
            if matches!(error, InferenceError::DeviceLost { .. }) {
                self.queue.lose(error);
            }
        };
        self.opener.open_again(stood).inspect_err(told).ok()
    }
}
