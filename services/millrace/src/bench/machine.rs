//! What the figures were measured on.

use serde::Serialize;

use crate::bench::stage::Stage;

/// The machine, and what ran on it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_mib: u64,
    /// Over one, five and fifteen minutes, before the first scenario.
    pub(crate) load_average: String,
    pub(crate) kernel: String,
    pub(crate) millrace: &'static str,
    pub(crate) build: &'static str,
    pub(crate) redis: String,
    pub(crate) postgres: String,
}

impl Machine {
    /// This one.
    pub(crate) async fn of(stage: &Stage) -> anyhow::Result<Self> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let memory_kib =
            field(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0_u64);
        Ok(Self {
            cpu: field(&cpuinfo, "model name").to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory_kib / 1024,
            load_average: load_average(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            millrace: env!("CARGO_PKG_VERSION"),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            redis: stage.bus.server_counters().await?.version,
            postgres: match &stage.store {
                Some(store) => store.server_counters().await?.version,
                None => "unknown (no --database-url)".to_owned(),
            },
        })
    }
}

/// `1.20 0.80 0.50`.
pub(crate) fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// The value of `name` in `name : value` lines.
fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .map(|(key, value)| (key.trim(), value.trim()))
        .find(|(key, _)| *key == name)
        .map_or("", |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "MemTotal:       16 kB\nmodel name\t: A fast one\n";
        assert_eq!(field(text, "model name"), "A fast one");
        assert_eq!(field(text, "model"), "");
    }
}
