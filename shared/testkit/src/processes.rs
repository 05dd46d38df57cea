//! Processes of the machine, by what they were started with.

use std::path::Path;

/// Command lines of processes that name `path`.
#[must_use]
pub fn processes_naming(path: &Path) -> Vec<String> {
    let needle = path.display().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(&needle)).collect()
}
