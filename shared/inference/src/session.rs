//! A session on threads of its own. Rule: nobody else touches a session, and a batch is put together only when a
//! session is free to run it, so that it grows for free while all are busy.

mod batch;
mod bound;
mod crew;
mod exchange;
mod feed;
mod limit;
mod open;
mod pending;
mod plain;
mod queue;
mod relief;
mod rows;
mod running;
mod serve;
mod transfer;
mod warm_up;

pub use limit::BatchLimit;
pub use pending::Pending;
pub use relief::Relief;
pub use rows::Rows;
pub use transfer::Transfer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use millrace_contracts::ModelId;
use millrace_tasks::Courtesy;
use millrace_turns::Turn;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::graph::GraphPort;
use crate::{Device, GpuSettings, InferenceError, Tensor};
pub(crate) use open::metadata_of;
use queue::Queue;
use running::{Running, Slot};
use serve::Opener;
pub(crate) use serve::SessionFiles;

/// How long the threads of a model that is given up are waited for. Its run was stopped by then, unless one operator alone takes
/// longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks whether they ended.
const LOOK: Duration = Duration::from_millis(2);

/// A model with larger files takes a second or more to be read once more, and the memory: where nobody says how many, it has fewer
/// sessions, of more threads.
pub const LARGE_MODEL_BYTES: u64 = 128 << 20;

/// How many sessions a model has, and their threads, by its files. It has one in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BySize {
    /// At most so many with more than [`LARGE_MODEL_BYTES`].
    pub sessions_if_large: usize,
    /// Threads of each of those.
    pub threads_if_large: usize,
    /// All of them together read files of at most so many bytes.
    pub most_read_bytes: u64,
}

/// How sessions run. All bounds are at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSettings {
    /// What they run on.
    pub device: Device,
    /// How they run on a GPU.
    pub gpu: GpuSettings,
    /// How inputs and outputs cross to it.
    pub transfer: Transfer,
    /// Sessions of one model, each with a thread that owns it, and with weights of its own.
    pub sessions: usize,
    /// How that, and their threads, depend on the model's size. None: they are as many as is said, however large it is.
    pub by_size: Option<BySize>,
    /// Threads of one session's operators.
    pub intra_op_threads: usize,
    /// Most rows in one run; a graph whose batch axis is fixed has the last word.
    pub max_batch: usize,
    /// Most padded pixels (of tokens, for text) in one run, all its rows together; one row may exceed it alone.
    pub max_cells: u64,
    /// How long a request may wait for others once a session is free. Zero: not at all.
    pub max_delay: Duration,
    /// What one run should take at most: batches grow and shrink to meet it. Zero: as large as they may.
    pub target_latency: Duration,
    /// A run takes at most so many times what one row takes alone, so that whoever comes next waits no longer than in
    /// proportion. Zero: however long.
    pub max_stretch: u32,
    /// Requests that may wait; more wait outside, in their callers.
    pub queue: usize,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            device: Device::Cpu,
            gpu: GpuSettings::default(),
            transfer: Transfer::ByDevice,
            sessions: 1,
            by_size: None,
            intra_op_threads: 1,
            max_batch: 8,
            max_cells: 1 << 25,
            max_delay: Duration::ZERO,
            target_latency: Duration::ZERO,
            max_stretch: 0,
            queue: 64,
        }
    }
}

impl SessionSettings {
    /// The same for a model whose files have so many bytes.
    #[must_use]
    pub(crate) fn for_files(self, bytes: u64) -> Self {
        let Some(BySize { sessions_if_large, threads_if_large, most_read_bytes }) = self.by_size else {
            return self;
        };
        let own = (self.sessions, self.intra_op_threads);
        let large = bytes > LARGE_MODEL_BYTES;
        let (wanted, intra_op_threads) = if large { (sessions_if_large, threads_if_large) } else { own };
        let fitting = usize::try_from(most_read_bytes / bytes.max(1)).unwrap_or(usize::MAX);
        Self { sessions: wanted.min(fitting).max(1), intra_op_threads, ..self }
    }

    /// What its sessions read of a model's files, bytes.
    pub(crate) fn read_bytes(self, bytes: u64) -> u64 {
        bytes.saturating_mul(self.sessions.max(1) as u64)
    }
}

/// What sessions share with the rest of the process.
#[derive(Clone)]
pub(crate) struct Around {
    /// Asked for memory when a run finds none.
    pub(crate) relief: Arc<dyn Relief>,
    /// Leaves a core to whoever waits for one thing alone.
    pub(crate) courtesy: Courtesy,
}

/// The handle of a model's session threads. They end when it is dropped, and with them the run that is under way then.
#[derive(Debug)]
pub struct SessionThread {
    id: ModelId,
    places: Arc<Semaphore>,
    queue: Arc<Queue>,
    arenas: Arc<Arenas>,
    running: Arc<Running>,
    inputs: Vec<GraphPort>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

/// What the sessions of one model hold in their arenas, bytes. Written by their threads, after runs that were larger
/// than any before.
#[derive(Debug, Default)]
pub(crate) struct Arenas(Vec<AtomicU64>);

impl Arenas {
    fn new(sessions: usize) -> Self {
        Self((0..sessions).map(|_| AtomicU64::new(0)).collect())
    }

    fn note(&self, session: usize, bytes: u64) {
        self.0[session].store(bytes, Ordering::Relaxed);
    }

    fn bytes(&self) -> u64 {
        self.0.iter().map(|arena| arena.load(Ordering::Relaxed)).sum()
    }
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
    /// One more row would have been too many pixels or tokens.
    Cells,
    /// Nothing else waited.
    Drained,
    /// What else waited had another shape.
    Shape,
    /// Its requests are lone ones, and what else waited is not.
    Lone,
    /// The oldest request had waited long enough.
    Delay,
    /// Its request had to run alone.
    Alone,
}

impl Closed {
    /// The name in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Cells => "cells",
            Self::Drained => "drained",
            Self::Shape => "shape",
            Self::Lone => "lone",
            Self::Delay => "delay",
            Self::Alone => "alone",
        }
    }
}

/// One caller's rows. Its place in the queue is given back when it is done or dropped.
struct Request {
    inputs: Vec<Tensor>,
    turn: Turn,
    /// Whether it is all that its flow has in hand: it is not made to wait for the rows of those who have more.
    lone: bool,
    how: How,
    since: Instant,
    /// Gone once its caller is.
    caller: Weak<()>,
    reply: oneshot::Sender<Result<Inferred, InferenceError>>,
    _place: OwnedSemaphorePermit,
}

/// How rows are to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Beside others'.
    Batched,
    /// By themselves: their first axes are not rows.
    Alone,
    /// By themselves, in the session of this number, as its first.
    Warming(u16),
}

/// What a graph says of itself once it is open.
pub(crate) struct Opened {
    pub(crate) metadata: std::collections::BTreeMap<String, String>,
    pub(crate) inputs: Vec<GraphPort>,
    pub(crate) outputs: Vec<GraphPort>,
}

impl SessionThread {
    /// Opens the graph on the threads that will own its sessions.
    ///
    /// # Errors
    /// A missing library, a graph that does not load, a thread that does not start.
    pub(crate) async fn start(
        id: &ModelId,
        library: PathBuf,
        files: SessionFiles,
        settings: SessionSettings,
        around: Around,
    ) -> Result<(Self, Opened), InferenceError> {
        let sessions = settings.sessions.max(1);
        let queue = Arc::new(Queue::new(&settings, around.courtesy));
        let arenas = Arc::new(Arenas::new(sessions));
        let running = Arc::new(Running::new(sessions));
        let places = Arc::new(Semaphore::new(settings.queue.max(1)));
        // Closes the queue, and so ends the threads, should one of them not start.
        let mut handle = Self {
            id: id.clone(),
            places,
            queue: Arc::clone(&queue),
            arenas: Arc::clone(&arenas),
            running: Arc::clone(&running),
            inputs: Vec::new(),
            threads: Vec::with_capacity(sessions),
        };
        let mut opened = None;
        for number in 0..sessions {
            let (ready, answer) = oneshot::channel();
            let opener = Opener { library: library.clone(), id: id.clone(), files: files.clone(), settings };
            let served = serve::Served {
                opener,
                queue: Arc::clone(&queue),
                arenas: Arc::clone(&arenas),
                slot: Slot::new(&running, number),
                number,
                relief: Arc::clone(&around.relief),
            };
            let name = if number == 0 { format!("model {id}") } else { format!("model {id} {number}") };
            let thread = std::thread::Builder::new().name(name).spawn(move || served.run(ready));
            let thread = thread
                .map_err(|error| InferenceError::Thread { id: id.clone(), detail: error.to_string() })?;
            handle.threads.push(thread);
            let first =
                answer.await.unwrap_or_else(|_| Err(InferenceError::SessionLost { id: id.clone() }))?;
            opened.get_or_insert(first);
        }
        let opened = opened.expect("there is at least one session");
        handle.inputs.clone_from(&opened.inputs);
        Ok((handle, opened))
    }

    /// Runs `rows` when it is their flow's turn, in a batch with whatever else waits. Waits for a place when the queue is
    /// full. Dropping the future abandons the request. Numbers with a fraction come back in single precision whatever the graph's own.
    ///
    /// # Errors
    /// The inputs do not fit the graph, or the run failed.
    pub async fn infer(&self, rows: impl Into<Rows>) -> Result<Inferred, InferenceError> {
        let mut inferred = self.request(rows.into(), How::Batched).await?;
        inferred.outputs = inferred.outputs.into_iter().map(Tensor::in_single_precision).collect();
        Ok(inferred)
    }

    /// Runs `rows` by themselves: for graphs whose first axes are not rows. The outputs are as the graph gives them,
    /// of any shape and type.
    ///
    /// # Errors
    /// As [`Self::infer`].
    pub async fn infer_alone(&self, rows: impl Into<Rows>) -> Result<Inferred, InferenceError> {
        self.request(rows.into(), How::Alone).await
    }

    /// As [`Self::infer`] for whoever cannot wait: puts `rows` in the queue. Gives them back when it is full or closed.
    ///
    /// # Errors
    /// The rows.
    pub fn begin(&self, rows: Rows) -> Result<Pending, Rows> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => self.enqueue((rows, How::Batched), (Instant::now(), place)),
            Err(_) => Err(rows),
        }
    }

    async fn request(&self, rows: Rows, how: How) -> Result<Inferred, InferenceError> {
        let lost = || pending::lost(&self.queue, &self.id);
        let since = Instant::now();
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| lost())?;
        let pending = self.enqueue((rows, how), (since, place)).map_err(|_| lost())?;
        pending.ended().await
    }

    /// Puts `rows` in the queue; gives them back when it is closed.
    fn enqueue(
        &self,
        (rows, how): (Rows, How),
        (since, place): (Instant, OwnedSemaphorePermit),
    ) -> Result<Pending, Rows> {
        let (reply, answer) = oneshot::channel();
        // Held until the answer is there: what nobody holds is not run, or not to its end.
        let waiting = Arc::new(());
        let (Rows { inputs, turn, lone }, caller) = (rows, Arc::downgrade(&waiting));
        let request = Request { inputs, turn, lone, how, since, caller, reply, _place: place };
        self.queue.push(request).map_err(Request::into_rows)?;
        Ok(Pending { id: self.id.clone(), queue: Arc::clone(&self.queue), answer, _waiting: waiting })
    }

    /// Stops runs whose callers all went away.
    pub(crate) fn stop_abandoned(&self) {
        self.running.stop_abandoned();
    }

    /// Ends its threads, and waits for them: nobody may wait for an answer of its any more. A thread that
    /// does not end is left, with an error in the log.
    pub(crate) fn end(mut self) {
        let (threads, id) = (std::mem::take(&mut self.threads), self.id.clone());
        drop(self);
        let begun = Instant::now();
        for thread in threads {
            while !thread.is_finished() && begun.elapsed() < PATIENCE {
                std::thread::sleep(LOOK);
            }
            if !thread.is_finished() {
                tracing::error!(model.id = %id, "a run that nobody waits for does not end; its thread and memory are left behind");
            } else if thread.join().is_err() {
                tracing::error!(model.id = %id, "a model's thread panicked");
            }
        }
    }

    /// What its sessions hold in their arenas, bytes.
    #[must_use]
    pub fn arena_bytes(&self) -> u64 {
        self.arenas.bytes()
    }

    /// The rows that the next batch may have.
    #[must_use]
    pub fn batch_limit(&self) -> usize {
        self.queue.rows()
    }
}

impl Drop for SessionThread {
    fn drop(&mut self) {
        self.queue.close();
        // Its callers borrowed it, and so are gone: what still runs holds memory that nobody counts any more.
        self.stop_abandoned();
    }
}
