use super::{Metric, Part, counter, gauge, histogram};

pub(super) const PART: Part = Part { title: "writer", metrics: METRICS };

const METRICS: &[Metric] = &[
    gauge(
        "millrace_writer_behind_seconds",
        &[],
        "Age of the oldest event that is not recorded yet. Every writer tells of all: take the largest.",
    ),
    gauge("millrace_writer_lag_events", &[], "Entries that wait to be recorded. Take the largest."),
    counter(
        "millrace_writer_failed_attempts_total",
        &[],
        "Attempts to record that failed, as when Postgres is away; events wait in Redis.",
    ),
    counter(
        "millrace_writer_events_total",
        &[],
        "Events that were read and recorded, those recorded before among them.",
    ),
    counter("millrace_writer_new_events_total", &[], "Events that were recorded for the first time."),
    counter("millrace_writer_transactions_total", &[], "Transactions that it took."),
    histogram("millrace_writer_batch_events", &[], "Events recorded together."),
    histogram("millrace_writer_record_seconds", &[], "Time to record them."),
    counter(
        "millrace_writer_dead_letters_total",
        &[],
        "Events that Postgres would not take, kept as dead letters.",
    ),
    counter("millrace_writer_expired_runs_total", &[], "Runs deleted at the end of their retention."),
    counter(
        "millrace_writer_deleted_blobs_total",
        &[],
        "Blobs deleted, because nobody referred to them any more.",
    ),
    gauge(
        "millrace_writer_missing_values",
        &[],
        "Values that the record refers to and that are not in the blob store: another store than before, or files deleted by hand.",
    ),
];
