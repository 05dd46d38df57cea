//! What every handler may use. Made once; nothing in it is global.

use std::sync::Arc;

use millrace_blobs::Blobs;
use millrace_bus::Bus;
use millrace_config::{Api, Auth, ByteSize, Collections};
use millrace_contracts::BlobId;
use millrace_store::{GroupCommit, Store};
use moka::future::Cache;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::audit::Ledger;
use crate::auth::{Access, Caller, Visitor};
use crate::deps::Deps;
use crate::figures::Figures;
use crate::live::{History, Hub, StreamSettings};
use crate::plans::Plans;
use crate::submit::{Door, ImageHeader, Known};

/// Picture headers kept by blob, and thumbnails by their origin: what was read or made once is not again.
const CACHED_HEADERS: u64 = 10_000;
/// Batches that are committed at once; others wait for them.
const BATCH_COMMITS: usize = 2;
/// Files of models that are sent at once; more are refused.
const MODEL_UPLOADS: usize = 4;
/// Inputs at once that are put together from values of the blob store; others wait for them.
const RESTORES: usize = 4;

/// What every handler may use.
pub(crate) struct App {
    /// The `[api]` settings.
    pub(crate) settings: Api,
    /// The `[auth]` settings.
    pub(crate) auth: Auth,
    /// The `[collections]` settings.
    pub(crate) collections: Collections,
    /// The largest file of a model that is stored.
    pub(crate) max_model: ByteSize,
    /// Who may call.
    pub(crate) access: Arc<Access>,
    /// Redis: commands out, states and logs in.
    pub(crate) bus: Bus,
    /// Postgres: what was accepted, and what happened.
    pub(crate) store: Store,
    /// Bytes by their digest.
    pub(crate) blobs: Blobs,
    /// Accepts runs, many per transaction.
    pub(crate) commits: GroupCommit,
    /// Where changes are noted.
    pub(crate) ledger: Ledger,
    /// Refuses runs while too much waits.
    pub(crate) door: Door,
    /// Live events by run.
    pub(crate) hub: Arc<Hub>,
    /// Compiled definitions by digest.
    pub(crate) plans: Plans,
    /// Saved workflows, compiled, while they are as they were.
    pub(crate) known: Known,
    /// What picture headers said, by blob.
    pub(crate) headers: Cache<BlobId, ImageHeader>,
    /// Figures of windows of time, for dashboards.
    pub(crate) figures: Figures,
    /// Thumbnails by their origin and width.
    pub(crate) thumbnails: Cache<(BlobId, u32), BlobId>,
    /// Permits of requests that are served now.
    pub(crate) requests: Arc<Semaphore>,
    /// Permits to write points. Those who write to one collection wait for each other, each with a connection to the database:
    /// enough of them have to stay for everybody else.
    pub(crate) point_writers: Arc<Semaphore>,
    /// Permits to commit a batch of runs, which takes one connection to the database for a while: the others are for everybody
    /// else.
    pub(crate) batch_commits: Arc<Semaphore>,
    /// Permits to send a file of a model.
    pub(crate) model_uploads: Semaphore,
    /// Permits of event streams that are open.
    pub(crate) streams: Arc<Semaphore>,
    /// Memory for request bodies, in KiB.
    pub(crate) body_memory: Arc<Semaphore>,
    /// Turns of requests that refer to values of the blob store, which a few bytes of body may have loaded.
    pub(crate) restores: Arc<Semaphore>,
    /// Cancelled when the role is to end.
    pub(crate) shutdown: CancellationToken,
}

impl App {
    /// The state over `deps`; somebody runs the committer and the ledger's keeper; `exposed` says that others than this machine
    /// can reach the listener.
    pub(crate) fn new(
        deps: Deps,
        (commits, ledger): (GroupCommit, Ledger),
        exposed: bool,
        shutdown: CancellationToken,
    ) -> Self {
        let settings = deps.settings;
        Self {
            access: Arc::new(
                Access::new(&deps.auth, deps.store.clone(), exposed).with_worker(deps.worker_key),
            ),
            auth: deps.auth,
            point_writers: Arc::new(Semaphore::new(deps.collections.writers as usize)),
            collections: deps.collections,
            max_model: deps.max_model,
            batch_commits: Arc::new(Semaphore::new(BATCH_COMMITS)),
            hub: Hub::new(settings.stream_buffer),
            door: Door::new(&settings),
            plans: Plans::new(),
            known: Known::new(),
            headers: Cache::new(CACHED_HEADERS),
            figures: Figures::new(),
            thumbnails: Cache::new(CACHED_HEADERS),
            requests: Arc::new(Semaphore::new(settings.max_concurrent_requests)),
            model_uploads: Semaphore::new(MODEL_UPLOADS),
            streams: Arc::new(Semaphore::new(settings.max_streams)),
            body_memory: Arc::new(Semaphore::new(crate::body::MEMORY_KIB)),
            restores: Arc::new(Semaphore::new(RESTORES)),
            bus: deps.bus,
            store: deps.store,
            blobs: deps.blobs,
            commits,
            ledger,
            settings,
            shutdown,
        }
    }

    /// The past of runs.
    pub(crate) fn history(&self) -> History {
        History { bus: self.bus.clone(), store: self.store.clone() }
    }

    /// How an event stream is run that `caller` opens.
    pub(crate) fn stream_settings(&self, caller: Option<&Caller>) -> StreamSettings {
        StreamSettings {
            visitor: Visitor::new(&self.access, caller),
            ping: self.settings.stream_ping,
            buffer: self.settings.stream_buffer,
            shutdown: self.shutdown.clone(),
        }
    }
}
