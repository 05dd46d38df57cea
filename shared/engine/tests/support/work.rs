//! Workers' reports, and a worker whose answers depend on the job alone.

use millrace_contracts::job::{JobMetrics, JobOutcome, JobReport};
use millrace_contracts::message::Message;
use millrace_contracts::{ErrorKind, FollowUpReport, Job, JobError, UnixMillis};
use serde_json::{Map, Value, json};

use super::blobs::Blobs;
use super::dice::hash;

/// The report of `worker` on `job`.
pub(crate) fn report(job: &Job, worker: &str, at: UnixMillis, outcome: JobOutcome) -> Message {
    Message::Report {
        execution_id: job.execution_id,
        node_id: job.node_id.clone(),
        path: job.path.clone(),
        attempt: job.attempt,
        at,
        report: Box::new(JobReport {
            job_id: job.id,
            task: job.task.clone(),
            model_id: job.model.as_ref().map(|model| model.id.clone()),
            worker_id: worker.into(),
            started_at: at,
            ended_at: None,
            outcome,
        }),
        with_start: false,
        then: Vec::new(),
    }
}

/// The report of `worker` on `job` and on the jobs that follow it: on `most` of those at most, and none behind one that failed.
pub(crate) fn report_on_chain(
    job: &Job,
    (worker, at): (&str, UnixMillis),
    most: usize,
    mut answer: impl FnMut(&Job) -> JobOutcome,
) -> Message {
    let mut outcome = answer(job);
    let mut message = report(job, worker, at, outcome.clone());
    let Message::Report { then, .. } = &mut message else { unreachable!("a report is a report") };
    let mut made = Vec::new();
    for follow_up in job.then.iter().take(most) {
        let JobOutcome::Completed { outputs, .. } = outcome else { break };
        made.push(outputs);
        let next = job.followed_by(follow_up, &made.iter().collect::<Vec<_>>());
        let next = next.expect("a job reads from those before it");
        outcome = answer(&next);
        let Message::Report { report, .. } = report(&next, worker, at, outcome.clone()) else { break };
        then.push(FollowUpReport { node_id: next.node_id, report: *report });
    }
    message
}

/// Success with these ports.
pub(crate) fn completed(outputs: Map<String, Value>) -> JobOutcome {
    JobOutcome::Completed { outputs, metrics: Box::new(JobMetrics::default()), warnings: Vec::new() }
}

/// A failure of this kind.
pub(crate) fn failed(kind: ErrorKind) -> JobOutcome {
    let error = JobError::new(kind, "made to fail");
    JobOutcome::Failed { error, metrics: Box::new(JobMetrics::default()) }
}

/// What the job gives, whoever runs it and whenever: a share of the attempts fails, some for good.
pub(crate) fn answer(job: &Job, seed: u64, blobs: &mut Blobs) -> JobOutcome {
    let chance = hash(&format!("{seed}/{}{}#{}", job.node_id, job.path, job.attempt));
    match chance % 100 {
        0..4 => return failed(ErrorKind::InvalidInput),
        4..12 => return failed(ErrorKind::Network),
        12..16 => return failed(ErrorKind::Timeout),
        _ => {}
    }
    let image = json!({"made_by": job.node_id, "path": job.path, "from": job.inputs});
    // Inputs nest inside each other: their hash says the same and does not grow.
    let image = json!({"image_of": hash(&image.to_string()) % 100_000});
    let image = if chance.is_multiple_of(7) { blobs.put(image) } else { image };
    let outputs = match job.task.as_str() {
        "crop@1" => {
            let count = (chance >> 8) % 4;
            let crops: Vec<Value> = (0..count).map(|number| json!({"crop": number})).collect();
            let crops = if chance.is_multiple_of(5) { blobs.put(json!(crops)) } else { json!(crops) };
            json!({"crops": crops, "detections": []})
        }
        "detection@1" => json!({"detections": {"items": []}, "count": chance % 9, "classes": ["a"]}),
        _ => json!({"image": image}),
    };
    completed(super::flow::map(outputs))
}
