//! Compiled definitions by the digest of what was sent. A definition is compiled once, however often it is run; what does not
//! compile is not kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use millrace_blobs::Blobs;
use millrace_compiler::{InputSpec, Plan};
use millrace_contracts::{BlobId, Faults};
use moka::future::Cache;
use serde_json::Value;

use crate::problem::{Code, Problem};
use crate::submit::{QueueOf, queues_of};

/// Memory for compiled definitions, bytes of their JSON; a plan takes a few times that.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// Definitions larger than this are compiled off the async threads, bytes.
const COMPILED_INLINE_BYTES: usize = 32 * 1024;
/// A definition that was put into the blob store so lately is there: it is kept for much longer.
const STORED_FOR: Duration = Duration::from_secs(3600);

/// A definition that compiled.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// What the engine walks.
    pub(crate) plan: Arc<Plan>,
    /// The inputs a run is to give.
    pub(crate) inputs: Vec<InputSpec>,
    /// The definition with its blocks' versions pinned.
    pub(crate) definition: Value,
    /// The digest of its JSON.
    pub(crate) id: BlobId,
    /// The job queues its runs use.
    pub(crate) queues: Vec<QueueOf>,
    bytes: Vec<u8>,
    /// When it was last put into the blob store.
    stored: Mutex<Option<Instant>>,
}

impl Compiled {
    /// The size of its JSON, as caches weigh it.
    pub(crate) fn json_bytes(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    /// Puts the definition back where orchestrators find it, if it is not there any more.
    pub(crate) async fn restore(&self, blobs: &Blobs) -> Result<(), Problem> {
        blobs.put(self.bytes.clone().into()).await?;
        Ok(())
    }

    /// Puts the definition where orchestrators find it; now and again, so that it is not taken for one that nobody uses.
    pub(crate) async fn store(&self, blobs: &Blobs) -> Result<(), Problem> {
        let is_fresh = |stored: Option<Instant>| stored.is_some_and(|at| at.elapsed() < STORED_FOR);
        if !is_fresh(*self.stored.lock().unwrap_or_else(PoisonError::into_inner)) {
            self.restore(blobs).await?;
            *self.stored.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        Ok(())
    }
}

/// The cache.
#[derive(Debug, Clone)]
pub(crate) struct Plans(Cache<BlobId, Arc<Compiled>>);

impl Plans {
    /// An empty cache.
    pub(crate) fn new() -> Self {
        let weigh = |_: &BlobId, compiled: &Arc<Compiled>| compiled.json_bytes();
        Self(Cache::builder().weigher(weigh).max_capacity(CACHE_BYTES).build())
    }

    /// The compiled form of `definition`.
    ///
    /// # Errors
    /// Every mistake in it, with pointers into the definition.
    pub(crate) async fn compile(&self, definition: &Value) -> Result<Arc<Compiled>, Faults> {
        let bytes = serde_json::to_vec(definition).expect("a JSON value serialises");
        let sent = BlobId::of(&bytes);
        let compile = async {
            if bytes.len() <= COMPILED_INLINE_BYTES {
                return compile(definition);
            }
            let definition = definition.clone();
            let compiled = tokio::task::spawn_blocking(move || compile(&definition)).await;
            compiled.expect("the compiler does not panic")
        };
        self.0.try_get_with(sent, compile).await.map_err(|faults| (*faults).clone())
    }
}

fn compile(definition: &Value) -> Result<Arc<Compiled>, Faults> {
    let plan = millrace_compiler::compile(definition)?;
    let definition = millrace_compiler::pin_compiled(definition);
    let bytes = serde_json::to_vec(&definition).expect("a JSON value serialises");
    let id = BlobId::of(&bytes);
    let (inputs, queues) = (plan.inputs(), queues_of(&plan));
    let plan = Arc::new(plan);
    Ok(Arc::new(Compiled { inputs, queues, plan, definition, id, bytes, stored: Mutex::default() }))
}

/// The problem of a definition that stands at `prefix` in the request.
pub(crate) fn invalid(mut faults: Faults, prefix: &str) -> Problem {
    for fault in &mut faults.0 {
        fault.pointer.insert_str(0, prefix);
    }
    Problem::faults(Code::InvalidWorkflow, faults)
}
