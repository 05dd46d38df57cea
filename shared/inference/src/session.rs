//! A session on threads of its own. Rule: nobody else touches a session, and a batch is put together only when a
//! session is free to run it.

mod batch;
mod exchange;
mod open;
mod serve;

use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use millrace_contracts::ModelId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::graph::GraphPort;
use crate::{InferenceError, Runtime, Tensor};
use open::OpenSession;
pub(crate) use open::metadata_of;

/// How sessions run. All bounds are at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSettings {
    /// Sessions of one model, each with a thread that owns it.
    pub sessions: usize,
    /// Threads of one session's operators.
    pub intra_op_threads: usize,
    /// Most rows in one run; a graph whose batch axis is fixed has the last word.
    pub max_batch: usize,
    /// How long a batch with room waits for more rows once a session is free. Zero: not at all.
    pub max_delay: Duration,
    /// Requests that may wait; more wait outside, in their callers.
    pub queue: usize,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self { sessions: 1, intra_op_threads: 1, max_batch: 8, max_delay: Duration::ZERO, queue: 64 }
    }
}

/// The handle of a model's session threads. They end when it is dropped and the requests in hand are done.
#[derive(Debug)]
pub struct SessionThread {
    id: ModelId,
    places: Arc<Semaphore>,
    queue: SyncSender<Request>,
}

/// What a request gets back.
#[derive(Debug, Clone, PartialEq)]
pub struct Inferred {
    /// One tensor per output of the graph, in its order, with the request's rows.
    pub outputs: Vec<Tensor>,
    /// How it was run.
    pub batch: BatchReport,
}

/// The batch a request ran in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchReport {
    /// Rows in it, all requests together.
    pub rows: usize,
    /// From the request to the start of the run.
    pub waited: Duration,
    /// The run itself.
    pub took: Duration,
    /// Why it was closed.
    pub closed: Closed,
}

/// Why a batch was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It had as many rows as it may.
    Full,
    /// Nothing else waited.
    Drained,
    /// The next request had another shape.
    Shape,
    /// Its request had to run alone.
    Alone,
}

impl Closed {
    /// The name in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Drained => "drained",
            Self::Shape => "shape",
            Self::Alone => "alone",
        }
    }
}

/// One caller's rows. Its place in the queue is given back when it is done or dropped.
struct Request {
    inputs: Vec<Tensor>,
    /// Whether its tensors have no rows that others could be put beside.
    alone: bool,
    since: Instant,
    reply: oneshot::Sender<Result<Inferred, InferenceError>>,
    _place: OwnedSemaphorePermit,
}

/// What a graph says of itself once it is open.
pub(crate) struct Opened {
    pub(crate) metadata: std::collections::BTreeMap<String, String>,
    pub(crate) inputs: Vec<GraphPort>,
    pub(crate) outputs: Vec<GraphPort>,
    /// SHA-256 of the graph's file, hex.
    pub(crate) digest: String,
}

impl SessionThread {
    /// Opens the graph on the threads that will own its sessions.
    ///
    /// # Errors
    /// A missing library, a graph that does not load, a thread that does not start.
    pub(crate) async fn start(
        id: &ModelId,
        library: PathBuf,
        graph: PathBuf,
        settings: SessionSettings,
    ) -> Result<(Self, Opened), InferenceError> {
        let (queue, requests) = sync_channel(settings.queue.max(1));
        let intake = Arc::new(Mutex::new(serve::Intake::new(requests, settings)));
        let mut opened = None;
        for number in 0..settings.sessions.max(1) {
            let (ready, answer) = oneshot::channel();
            let (library, graph, intake, owner) =
                (library.clone(), graph.clone(), Arc::clone(&intake), id.clone());
            let name = if number == 0 { format!("model {id}") } else { format!("model {id} {number}") };
            let body = move || {
                let session = Runtime::load(&library)
                    .and_then(|runtime| OpenSession::open(&runtime, &owner, &graph, &settings));
                match session {
                    Ok((mut session, opened)) => {
                        // A caller who no longer waits dropped the queue too, which ends the loop at once.
                        let told = ready.send(Ok(opened));
                        if told.is_ok() {
                            serve::serve(&mut session, &intake);
                        }
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            };
            let thread = std::thread::Builder::new().name(name).spawn(body);
            thread.map_err(|error| InferenceError::Thread { id: id.clone(), detail: error.to_string() })?;
            let first =
                answer.await.unwrap_or_else(|_| Err(InferenceError::SessionLost { id: id.clone() }))?;
            opened.get_or_insert(first);
        }
        let places = Arc::new(Semaphore::new(settings.queue.max(1)));
        let opened = opened.expect("there is at least one session");
        Ok((Self { id: id.clone(), places, queue }, opened))
    }

    /// Runs `inputs`, one tensor per input of the graph in its order, all with the same number of rows, in a batch
    /// with whatever else waits. Waits for a place when the queue is full. Dropping the future abandons the request.
    /// Numbers with a fraction come back in single precision whatever the graph's own.
    ///
    /// # Errors
    /// The inputs do not fit the graph, or the run failed.
    pub async fn infer(&self, inputs: Vec<Tensor>) -> Result<Inferred, InferenceError> {
        let mut inferred = self.request(inputs, false).await?;
        inferred.outputs = inferred.outputs.into_iter().map(Tensor::in_single_precision).collect();
        Ok(inferred)
    }

    /// Runs `inputs` by themselves: for graphs whose first axes are not rows. The outputs are as the graph gives them,
    /// of any shape and type.
    ///
    /// # Errors
    /// As [`Self::infer`].
    pub async fn infer_alone(&self, inputs: Vec<Tensor>) -> Result<Inferred, InferenceError> {
        self.request(inputs, true).await
    }

    async fn request(&self, inputs: Vec<Tensor>, alone: bool) -> Result<Inferred, InferenceError> {
        let lost = || InferenceError::SessionLost { id: self.id.clone() };
        let since = Instant::now();
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| lost())?;
        let (reply, answer) = oneshot::channel();
        let request = Request { inputs, alone, since, reply, _place: place };
        // The queue has as many slots as there are places, so it is never full here.
        self.queue.try_send(request).map_err(|_| lost())?;
        answer.await.map_err(|_| lost())?
    }
}
