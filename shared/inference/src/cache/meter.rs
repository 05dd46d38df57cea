//! Memory as the system counts it.

use std::fs::read_to_string;
use std::path::Path;

/// Measures memory. A trait, so that tests can make it short.
pub trait MemoryMeter: Send + Sync {
    /// Resident memory of this process, bytes; 0 where the system does not say.
    fn resident_bytes(&self) -> u64;

    /// How much of the memory there is, of the container if it has a limit, else of the machine, is in use: 0 to 1; none
    /// where the system does not say.
    fn machine(&self) -> Option<f64>;
}

/// What Linux says.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessMeter;

impl MemoryMeter for ProcessMeter {
    fn resident_bytes(&self) -> u64 {
        // Of proc(5) `statm` the second field, in pages; `status` has it in kB and needs no page size.
        field(Path::new("/proc/self/status"), "VmRSS:").unwrap_or(0) * 1024
    }

    fn machine(&self) -> Option<f64> {
        container(Path::new("/sys/fs/cgroup")).or_else(machine)
    }
}

/// Of a container with a limit (cgroup v2); the file cache that can be dropped is not in use.
fn container(folder: &Path) -> Option<f64> {
    let number = |name: &str| read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    let (limit, used) = (number("memory.max")?, number("memory.current")?);
    let droppable = field(&folder.join("memory.stat"), "inactive_file").unwrap_or(0);
    (limit > 0).then(|| used.saturating_sub(droppable) as f64 / limit as f64)
}

fn machine() -> Option<f64> {
    let meminfo = Path::new("/proc/meminfo");
    let (all, available) = (field(meminfo, "MemTotal:")?, field(meminfo, "MemAvailable:")?);
    (all > 0).then(|| all.saturating_sub(available) as f64 / all as f64)
}

/// The number behind `name` at the beginning of a line.
fn field(path: &Path, name: &str) -> Option<u64> {
    let text = read_to_string(path).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_and_this_machine_are_measured() {
        assert!(ProcessMeter.resident_bytes() > 1 << 20);
        let machine = ProcessMeter.machine().unwrap();
        assert!((0.0..=1.0).contains(&machine), "{machine}");
    }

    #[test]
    fn a_container_counts_without_the_file_cache() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(container(folder.path()), None);
        write("memory.current", "800\n");
        write("memory.stat", "anon 500\ninactive_file 300\n");
        write("memory.max", "max\n");
        assert_eq!(container(folder.path()), None, "no limit: the machine counts");
        write("memory.max", "1000\n");
        assert_eq!(container(folder.path()), Some(0.5));
    }
}
