use super::{Metric, Part, counter};

pub(super) const PART: Part = Part { title: "Redis, as each role sees it", metrics: METRICS };

const METRICS: &[Metric] = &[
    counter(
        "millrace_bus_reconnects_total",
        &[("connection", &["commands", "live", "an inbox", "the events streams"])],
        "Connections to Redis that broke and were made anew.",
    ),
    counter(
        "millrace_bus_dead_letters_total",
        &[("group", &["orchestrator", "workers", "writer"])],
        "Entries of streams that could not be read and were put aside: `millrace queues` lists them.",
    ),
    counter(
        "millrace_bus_live_overflows_total",
        &[],
        "Times that live events were dropped, because this process was too slow for them; it reads the log instead.",
    ),
];
