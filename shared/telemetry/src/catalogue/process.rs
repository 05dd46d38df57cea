use super::{Metric, Part, counter, gauge};

pub(super) const PART: Part = Part { title: "every process", metrics: METRICS };

const METRICS: &[Metric] = &[
    gauge("millrace_build_info", &[("version", &[])], "Always 1; its label says which version runs."),
    counter("process_cpu_seconds_total", &[], "Total user and system CPU time spent in seconds."),
    gauge("process_resident_memory_bytes", &[], "Resident memory size in bytes."),
    gauge("process_virtual_memory_bytes", &[], "Virtual memory size in bytes."),
    gauge("process_open_fds", &[], "Number of open file descriptors."),
    gauge("process_max_fds", &[], "Maximum number of open file descriptors."),
    gauge("process_threads", &[], "Number of OS threads in the process."),
    gauge("process_start_time_seconds", &[], "Start time of the process since unix epoch in seconds."),
];
