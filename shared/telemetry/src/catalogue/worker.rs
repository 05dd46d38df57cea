use super::{Metric, Part, counter, gauge, histogram};

pub(super) const PART: Part = Part { title: "worker", metrics: METRICS };

const METRICS: &[Metric] = &[
    counter(
        "millrace_worker_jobs_total",
        &[("task", &[]), ("outcome", &["completed", "failed", "cancelled"])],
        "Jobs that were done.",
    ),
    histogram("millrace_worker_job_seconds", &[("task", &[])], "Time from taking a job to its report."),
    histogram("millrace_worker_queue_wait_seconds", &[("pool", &[])], "Time that a job waited in its queue."),
    gauge("millrace_worker_jobs_in_hand", &[], "Jobs taken and not reported yet."),
    histogram("millrace_worker_batch_rows", &[], "Rows that went through a model together."),
    counter(
        "millrace_worker_batched_requests_total",
        &[("closed", &["full", "cells", "drained", "shape", "lone", "delay", "alone"])],
        "Requests that went through a model, by what closed their batch: as many rows as may be, as many pixels or tokens, nothing else waited, another shape waited, alone by wish, the oldest had waited long enough, alone by need.",
    ),
    gauge("millrace_worker_models_warm", &[], "Models in memory."),
    gauge("millrace_worker_model_memory_bytes", &[], "Memory that the models take, as measured."),
    gauge("millrace_worker_model_budget_bytes", &[], "Memory that the models may take."),
    gauge(
        "millrace_worker_memory_pressure",
        &[],
        "How full the budget is: 0 low, 1 medium, 2 high, 3 critical.",
    ),
    histogram("millrace_worker_model_load_seconds", &[], "Time to load a model, without fetching it."),
    counter(
        "millrace_worker_model_evictions_total",
        &[("why", &["room", "idle", "emergency", "broken", "replaced"])],
        "Models that were unloaded. Many for `room` say that the budget is too small for the models in use.",
    ),
    counter("millrace_worker_models_prefetched_total", &[], "Models fetched ahead of their first job."),
    counter("millrace_worker_out_of_memory_total", &[], "Times that a model had too little memory to run."),
    counter(
        "millrace_worker_claims_lost_total",
        &[],
        "Jobs that another worker took over, since this one seemed dead.",
    ),
    counter(
        "millrace_worker_last_chances_total",
        &[],
        "Jobs whose workers had died so often that they are given out once more, alone.",
    ),
    counter(
        "millrace_worker_model_events_dropped_total",
        &[],
        "Events about models that were not told, because too many came at once.",
    ),
    histogram("millrace_worker_reports_at_once", &[], "Reports sent to Redis together."),
];
