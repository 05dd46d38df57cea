//! The role: what it needs, the tasks it is made of, and its orderly end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use millrace_blobs::Blobs;
use millrace_bus::Bus;
use millrace_contracts::{EventType, Pool, UnixMillis, WorkerId};
use millrace_inference::{Chosen, ModelCache};
use millrace_tasks::{CancellationToken, Courtesy, OnCancel, OnError, Supervisor, TaskError, TaskKind};
use tokio::sync::mpsc;

use crate::cancelled::Cancelled;
use crate::cpu::{CpuPool, cores};
use crate::device_loss::DeviceLoss;
use crate::downloads::{Downloads, Porter};
use crate::fleet::Fleet;
use crate::frames::Frames;
use crate::held::Held;
use crate::intake::IntakeSettings;
use crate::inventory::Inventory;
use crate::lanes::Lanes;
use crate::model_events::ModelEvents;
use crate::neighbours::Neighbours;
use crate::outside::Outside;
use crate::post::{Post, Sack};
use crate::registrations::Registrations;
use crate::router::Router;
use crate::solitude::Solitude;
use crate::{
    Phase, WorkerError, cancelled, drain, intake, keeper, model_events, models as model_cache, origins, post,
    scout, wishes,
};

/// Handing jobs back takes no longer; should Redis be away, they are taken over once their claims are stale.
const HAND_BACK: Duration = Duration::from_secs(1);

/// What the worker works with.
#[derive(Clone)]
pub struct Deps {
    /// Redis.
    pub bus: Bus,
    /// Images and large values.
    pub blobs: Blobs,
    /// Absolute path of ONNX Runtime's library.
    pub library: PathBuf,
    /// How object stores are reached.
    pub objects: millrace_config::Objects,
    /// Where the worker stands, for those who ask.
    pub phase: Phase,
    /// Where its process answers about its health, if it does: the worker says so of itself.
    pub health_listen: Option<SocketAddr>,
}

/// What all jobs share.
pub(crate) struct Shared {
    pub(crate) bus: Bus,
    /// Where reports are handed in.
    pub(crate) post: Post,
    pub(crate) blobs: Blobs,
    pub(crate) models: ModelCache,
    pub(crate) device_loss: DeviceLoss,
    pub(crate) model_events: ModelEvents,
    /// Models from elsewhere, on disk.
    pub(crate) downloads: Downloads,
    pub(crate) registrations: Registrations,
    /// The world outside.
    pub(crate) outside: Outside,
    /// Which jobs are taken side by side.
    pub(crate) lanes: Lanes,
    pub(crate) frames: Frames,
    pub(crate) cpu: CpuPool,
    pub(crate) held: Held,
    /// Whether jobs are taken side by side, or one is alone.
    pub(crate) solitude: Solitude,
    pub(crate) cancelled: Cancelled,
    pub(crate) pools: Vec<Pool>,
    /// How long a job without a deadline may take.
    pub(crate) job_timeout: Duration,
    /// A job that was handed out more often has taken its workers down with it: the last of them it had to itself.
    pub(crate) max_deliveries: u32,
    /// This process among the workers; new with every start, so that it cannot be taken for a dead predecessor.
    pub(crate) worker: WorkerId,
    /// What models run on.
    pub(crate) chosen: Chosen,
}

/// Runs jobs until `shutdown`; then finishes those in hand within the grace period and leaves the rest to other workers.
///
/// # Errors
/// ONNX Runtime is missing and a pool needs it, a thread cannot be started, Redis is not there at the start, or a task
/// that the role cannot live without failed.
pub async fn run(
    deps: Deps,
    settings: millrace_config::Worker,
    models: millrace_config::Models,
    io: millrace_config::Io,
    shutdown: CancellationToken,
) -> Result<(), WorkerError> {
    let courtesy = Courtesy::new(cores(), settings.courtesy);
    let cpu = CpuPool::start(settings.cpu_threads, &courtesy)?;
    let chosen = model_cache::device(&deps, &settings, &cpu).await?;
    let worker = WorkerId::from(format!("worker-{}", uuid::Uuid::now_v7().simple()));
    let (observer, model_events) = ModelEvents::new(worker.clone());
    let changed = observer.changed();
    let (repository, bucket) = model_cache::repository(&models, &deps.objects)?;
    let place = (&deps, repository.clone(), &courtesy);
    let cache = model_cache::open(place, chosen.device, (&settings, &models), observer.clone())?;
    let lanes = Lanes::of(&settings, &io);
    let (post, sack) = post::open(lanes.capacity());
    let (downloads, porter) = Downloads::open(&models, bucket.clone());
    let shared = Arc::new(Shared {
        post,
        frames: Frames::new(deps.blobs.clone(), cpu.clone(), &settings),
        models: cache.clone(),
        device_loss: observer.device_loss(),
        model_events: observer,
        downloads,
        registrations: Registrations::new(repository.clone()),
        lanes,
        outside: Outside::new(io),
        held: Held::new(courtesy),
        solitude: Solitude::default(),
        cancelled: Cancelled::new(),
        pools: settings.pools.iter().map(|pool| Pool::from(pool.as_str())).collect(),
        job_timeout: settings.job_timeout,
        max_deliveries: settings.max_deliveries,
        worker,
        chosen,
        cpu,
        bus: deps.bus,
        blobs: deps.blobs,
    });
    let fleet = Fleet {
        bus: shared.bus.clone(),
        worker: shared.worker.clone(),
        pools: shared.pools.clone(),
        capacity: shared.lanes.capacity(),
        models: cache,
        device: shared.chosen.clone(),
        held: shared.held.clone(),
        phase: deps.phase,
        health_listen: deps.health_listen,
        changed,
        inventory: Inventory::of(repository, bucket, &shared.cpu).await,
        failures: shared.model_events.failures(),
        started_at: UnixMillis::now(),
    };
    let ended = live((&shared, sack, porter), &fleet, &settings, (model_events, models), shutdown).await;
    fleet.leave().await;
    match ended {
        Err(WorkerError::Task(TaskError::GraceOver { tasks, .. })) => {
            tracing::warn!(
                ?tasks,
                "not everything ended within the grace period; other workers will take over what was in hand"
            );
            Ok(())
        }
        ended => ended,
    }
}

/// The tasks, from registration to the last job.
async fn live(
    (shared, sack, porter): (&Arc<Shared>, Sack, Porter),
    fleet: &Fleet,
    settings: &millrace_config::Worker,
    (model_events, models): (mpsc::Receiver<millrace_contracts::Event>, millrace_config::Models),
    shutdown: CancellationToken,
) -> Result<(), WorkerError> {
    let supervisor = Supervisor::under(&shutdown);
    // Signs of life and claims go on while jobs in hand are finished.
    let (stop, done) = (supervisor.token(), CancellationToken::new());
    let _done = done.clone().drop_guard();
    let must_live = |name| TaskKind::new(name, OnError::Stop, OnCancel::Wait);
    let may_fail = |name| TaskKind::new(name, OnError::Log, OnCancel::Abort);
    // Each lane has a connection of its own: reads block.
    let mut queues = Vec::new();
    for lane in shared.lanes.iter() {
        queues.push((lane, shared.bus.queues(&shared.worker).await?));
    }
    keeper::start(
        shared.bus.clone(),
        shared.worker.clone(),
        shared.held.clone(),
        settings.lease,
        done.clone(),
    )?;
    fleet.say(EventType::WorkerRegistered).await?;
    let publishing = model_events::publish(shared.bus.clone(), model_events);
    supervisor.spawn(may_fail("worker.model-events"), publishing);
    // Signs of life go on while models are loaded; jobs are not taken before.
    supervisor.spawn(
        must_live("worker.heartbeat"),
        fleet.clone().beat(settings.heartbeat, stop.clone(), done.clone()),
    );
    let neighbours = Neighbours::new(shared.worker.clone());
    // Before the first job is taken: it may be somebody else's.
    neighbours.ask(&shared.bus).await?;
    supervisor.spawn(must_live("worker.downloads"), porter.carry(done.clone()));
    // Before the models are loaded, which may take minutes: a wish to drain does not wait for them.
    listen(&supervisor, shared, &neighbours);
    if stop.run_until_cancelled(origins::preload(shared, &models.preload)).await.is_some() {
        fleet.phase.activate();
        fleet.changed.notify_one();
    }

    supervisor.spawn(must_live("worker.post"), sack.carry(shared.bus.clone(), done.clone()));
    let capacity = shared.lanes.capacity();
    let (sender, jobs) = mpsc::channel(capacity);
    for (lane, queues) in queues {
        let taking = IntakeSettings {
            pools: lane.pools.clone(),
            concurrency: lane.concurrency,
            spare: lane.spare,
            block: settings.block,
            lease: settings.lease,
        };
        let patience = (settings.steal_after, models.switch_after);
        let router = Router::new(shared, &lane.pools, neighbours.clone(), patience);
        let intake = intake::take(Arc::clone(shared), (queues, router), taking, sender.clone(), stop.clone());
        supervisor.spawn(must_live(lane.task), intake);
    }
    drop(sender);
    let driving = intake::drive(Arc::clone(shared), jobs, (stop.clone(), settings.grace), done.clone());
    supervisor.spawn(must_live("worker.jobs"), driving);
    supervisor.spawn(may_fail("worker.scout"), scout::look(Arc::clone(shared), neighbours));
    supervisor.spawn(may_fail("worker.frames"), shared.frames.clone().forget_idle());
    let inventory =
        fleet.inventory.clone().keep(Arc::clone(shared), models.look_every, Arc::clone(&fleet.changed));
    supervisor.spawn(may_fail("worker.inventory"), inventory);
    tracing::info!(worker.id = %shared.worker, worker.pools = ?shared.pools, worker.capacity = capacity, "the worker is ready");
    // A moment more than the jobs have: what is left of them is handed back in it.
    Ok(supervisor.run(shutdown, settings.grace + HAND_BACK).await?)
}

/// What the worker hears: what the others have loaded, that it is to drain, that it has no device any more, what no run wants any
/// more, and what to do with models.
fn listen(supervisor: &Supervisor, shared: &Arc<Shared>, neighbours: &Neighbours) {
    let may_fail = |name| TaskKind::new(name, OnError::Log, OnCancel::Abort);
    let bus = || shared.bus.clone();
    supervisor.spawn(may_fail("worker.neighbours"), neighbours.clone().listen(bus()));
    let wish = drain::listen(bus(), shared.worker.clone(), supervisor.token());
    supervisor.spawn(may_fail("worker.drain"), wish);
    let lost = shared.device_loss.clone().watch(supervisor.token());
    supervisor.spawn(TaskKind::new("worker.device", OnError::Stop, OnCancel::Abort), lost);
    let cancelled = cancelled::listen(bus(), shared.cancelled.clone(), shared.held.clone());
    supervisor.spawn(may_fail("worker.cancellations"), cancelled);
    let wishes = wishes::listen(Arc::clone(shared), neighbours.clone());
    supervisor.spawn(may_fail("worker.wishes"), wishes);
}
