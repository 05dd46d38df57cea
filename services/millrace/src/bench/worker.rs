//! The worker of pool `bench`: takes jobs and reports each done at once, with the picture it was given, many at a time.

use std::time::Duration;

use millrace_bus::{Bus, JobDelivery, Report};
use millrace_contracts::event::Source;
use millrace_contracts::job::{JobMetrics, JobOutcome, JobReport};
use millrace_contracts::message::Message;
use millrace_contracts::{Event, EventType, Pool, UnixMillis, WorkerId};
use millrace_tasks::{OnCancel, OnError, Supervisor, TaskKind};
use serde_json::{Map, Value, json};

/// The pool that the runs of the scenarios are sent to.
pub(crate) const POOL: &str = "bench";

/// Jobs taken at once.
const BATCH: usize = 256;
const BLOCK: Duration = Duration::from_secs(1);

/// Starts `count` workers.
pub(crate) async fn spawn(bus: &Bus, count: usize, tasks: &Supervisor) -> anyhow::Result<()> {
    for number in 0..count {
        let id = WorkerId::from(format!("bench-{}-{number}", std::process::id()));
        let queues = bus.queues(&id).await?;
        let (bus, kind) = (bus.clone(), TaskKind::new("bench.worker", OnError::Stop, OnCancel::Abort));
        tasks.spawn(kind, async move { work(bus, queues, id).await });
    }
    Ok(())
}

async fn work(bus: Bus, mut queues: millrace_bus::JobQueues, id: WorkerId) -> anyhow::Result<()> {
    let pools = [Pool::from(POOL)];
    loop {
        let jobs = queues.read(&pools, BATCH, BLOCK).await?;
        let said: Vec<_> = jobs.iter().map(|delivery| says(delivery, &id)).collect();
        let reports: Vec<_> = jobs
            .iter()
            .zip(&said)
            .map(|(delivery, (event, message))| Report {
                job: &delivery.job,
                events: std::slice::from_ref(event),
                message,
            })
            .collect();
        bus.report_all(&reports, &[]).await?;
        let done: Vec<_> = jobs.into_iter().map(|delivery| (delivery.queue, delivery.entry)).collect();
        bus.ack_jobs(&done).await?;
    }
}

/// What a worker says of a job that is done.
fn says(delivery: &JobDelivery, worker: &WorkerId) -> (Event, Message) {
    let (job, now) = (&delivery.job, UnixMillis::now());
    let picture = job.inputs.get("image").cloned().unwrap_or(Value::Null);
    let outputs = Map::from_iter([("image".to_owned(), picture)]);
    let report = JobReport {
        job_id: job.id,
        task: job.task.clone(),
        model_id: None,
        worker_id: worker.clone(),
        started_at: now,
        ended_at: None,
        outcome: JobOutcome::Completed {
            outputs,
            metrics: Box::new(JobMetrics::default()),
            warnings: Vec::new(),
        },
    };
    let id = format!("{}/completed/{worker}", job.id);
    let mut event = Event::new(EventType::InferenceCompleted, Source::Worker, id, now, json!(report));
    event.subject = Some(job.node_id.to_string());
    event.execution_id = Some(job.execution_id);
    event.workflow_id = job.workflow_id;
    event.node_id = Some(job.node_id.clone());
    event.attempt = Some(job.attempt);
    let message = Message::Report {
        execution_id: job.execution_id,
        node_id: job.node_id.clone(),
        path: job.path.clone(),
        attempt: job.attempt,
        at: now,
        report: Box::new(report),
        with_start: false,
        then: Vec::new(),
    };
    (event, message)
}
