use super::{Metric, Part, counter, gauge, histogram};

pub(super) const PART: Part = Part { title: "orchestrator", metrics: METRICS };

const METRICS: &[Metric] = &[
    counter(
        "millrace_runs_ended_total",
        &[("status", &["completed", "failed", "cancelled"])],
        "Runs that ended.",
    ),
    histogram(
        "millrace_run_seconds",
        &[("status", &["completed", "failed", "cancelled"])],
        "Time from a run's acceptance to its end.",
    ),
    gauge("millrace_line_running", &[], "Runs under way. Every orchestrator tells of all: take the largest."),
    gauge(
        "millrace_line_waiting",
        &[("priority", &[])],
        "Accepted runs that wait to be under way. Take the largest.",
    ),
    gauge(
        "millrace_line_oldest_seconds",
        &[("priority", &[])],
        "How long the first in line has waited. Take the largest.",
    ),
    counter(
        "millrace_line_admitted_total",
        &[("waited", &["yes", "no"])],
        "Runs let in to be under way, at once or after a wait in line.",
    ),
    counter("millrace_line_resent_total", &[], "Runs let in whose message was lost, and sent again."),
    counter("millrace_line_left_behind_total", &[], "Runs that had ended and still took room in the line."),
    gauge(
        "millrace_orchestrator_partitions",
        &[],
        "Partitions that this orchestrator looks after; the sum is the same always.",
    ),
    histogram("millrace_orchestrator_batch_messages", &[], "Messages handled together."),
    histogram(
        "millrace_orchestrator_batch_seconds",
        &[],
        "Time to handle them, with every step committed and sent.",
    ),
    counter("millrace_orchestrator_commits_total", &[], "Steps of runs that were committed."),
    counter(
        "millrace_orchestrator_conflicts_total",
        &[],
        "Steps that another orchestrator was faster with; they are made anew.",
    ),
    counter(
        "millrace_orchestrator_conflicts_given_up_total",
        &[],
        "Runs left to another orchestrator for now, which kept being faster.",
    ),
    counter(
        "millrace_orchestrator_batch_failures_total",
        &[],
        "Batches that failed, as a rule because Redis was away; they come again.",
    ),
    counter(
        "millrace_orchestrator_put_off_total",
        &[],
        "Runs put off because only they could not be stepped, as when the blob store is away.",
    ),
    counter(
        "millrace_orchestrator_claimed_total",
        &[],
        "Messages taken over from an orchestrator that has gone.",
    ),
    counter(
        "millrace_orchestrator_noops_total",
        &[("reason", &["run_ended", "duplicate", "stale", "unknown", "outdated", "no_such_run"])],
        "Messages that changed nothing.",
    ),
    counter(
        "millrace_orchestrator_jobs_resent_total",
        &[],
        "Jobs sent again, because they may never have been sent.",
    ),
    counter(
        "millrace_orchestrator_wakes_total",
        &[],
        "Runs that stood still for long and were looked at again.",
    ),
    counter(
        "millrace_orchestrator_restarted_runs_total",
        &[],
        "Runs begun again from the record, after Redis had lost them.",
    ),
    counter("millrace_orchestrator_timers_fired_total", &[], "Delays, retries and deadlines that came due."),
    counter(
        "millrace_orchestrator_workers_lost_total",
        &[],
        "Workers that went silent without saying good-bye.",
    ),
    counter(
        "millrace_orchestrator_callbacks_total",
        &[("outcome", &["delivered", "failed", "resent"])],
        "News of runs' ends, sent to the address that their caller named.",
    ),
    counter(
        "millrace_orchestrator_schedule_firings_total",
        &[("outcome", &["started", "waiting", "skipped", "failed"])],
        "Schedules that came due.",
    ),
    counter(
        "millrace_orchestrator_schedule_firings_late_total",
        &[],
        "Firings that were missed while no orchestrator ran, and made up for.",
    ),
    counter(
        "millrace_orchestrator_schedule_cues_total",
        &[(
            "result",
            &[
                "handled",
                "released",
                "still_busy",
                "nothing_waits",
                "outdated",
                "gone",
                "turned_away",
                "failed",
            ],
        )],
        "Messages about schedules: one is due, or a run of one has ended.",
    ),
    counter(
        "millrace_orchestrator_cache_hits_total",
        &[],
        "Jobs that were not sent, because their result was known.",
    ),
    counter(
        "millrace_orchestrator_cache_misses_total",
        &[],
        "Jobs that were looked up, and whose result was not known.",
    ),
    counter("millrace_orchestrator_cache_stored_total", &[], "Results kept to be used again."),
    counter("millrace_orchestrator_cache_evicted_total", &[], "Results given up for newer ones."),
    counter(
        "millrace_orchestrator_cache_skipped_total",
        &[("reason", &["model_unknown", "round_full", "unreachable", "blobs_gone", "too_large", "refused"])],
        "Results that were not looked up, or not kept.",
    ),
    gauge(
        "millrace_orchestrator_cache_entries",
        &[("shard", &[])],
        "Results that are kept, as last seen by this orchestrator.",
    ),
    histogram("millrace_orchestrator_cache_lookup_seconds", &[], "Time to look up the results of a batch."),
];
