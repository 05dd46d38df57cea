use super::{Metric, Part, counter, gauge, histogram};

pub(super) const PART: Part = Part { title: "api", metrics: METRICS };

const METRICS: &[Metric] = &[
    counter(
        "millrace_http_requests_total",
        &[("method", &[]), ("route", &[]), ("status", &[])],
        "Requests that were answered, by the route's pattern; the status is `answered` where a workflow gave its own answer.",
    ),
    histogram(
        "millrace_http_request_seconds",
        &[("method", &[]), ("route", &[])],
        "Time from a request to the beginning of its answer.",
    ),
    counter(
        "millrace_http_refused_total",
        &[("reason", &["overloaded", "streams"])],
        "Requests turned away because as many were being served, or as many streams open, as may be.",
    ),
    counter(
        "millrace_runs_refused_total",
        &[],
        "Runs refused at the door, because a queue or the line was full.",
    ),
    counter(
        "millrace_hand_overs_failed_total",
        &[],
        "Runs that were accepted and could not be given to Redis at once; the sweeper starts them.",
    ),
    counter(
        "millrace_workflow_answers_total",
        &[("status", &[])],
        "Answers that workflows gave to their callers.",
    ),
    gauge(
        "millrace_queue_waiting",
        &[("pool", &[]), ("model", &[]), ("priority", &[])],
        "Jobs that wait in a queue; those that need no model have the model \"\". Every api tells of all: take the largest, not the sum.",
    ),
    gauge(
        "millrace_workers",
        &[("state", &["starting", "active", "draining"])],
        "Workers that are registered. Every api tells of all: take the largest, not the sum.",
    ),
    gauge("millrace_streams_open", &[], "Event streams that are open."),
    gauge("millrace_stream_topics", &[], "Runs that somebody watches."),
    counter(
        "millrace_streams_lagged_total",
        &[],
        "Event streams closed because their client read too slowly.",
    ),
    counter("millrace_live_events_total", &[], "Events heard on Redis and passed on to streams."),
    counter(
        "millrace_live_resyncs_total",
        &[],
        "Times that events may have been missed, and streams read the log instead.",
    ),
    counter(
        "millrace_live_unreadable_total",
        &[],
        "Messages on the event channels that are no events of ours.",
    ),
];
