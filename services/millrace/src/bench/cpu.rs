//! CPU time of the system's processes, from `/proc/*/stat`. The time of children that ended and were waited for counts with
//! their parents, so nothing is lost while the roots live.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nix::unistd::{SysconfVar, sysconf};
use serde::Serialize;

/// CPU milliseconds by part of the system.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Cpu(pub(crate) BTreeMap<&'static str, f64>);

/// The processes from which all of the system's descend.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roots(pub(crate) BTreeSet<u32>);

#[derive(Debug, Clone, PartialEq)]
struct Process {
    pid: u32,
    parent: u32,
    name: String,
    ticks: u64,
}

impl Cpu {
    /// What the descendants of `roots` have used so far, this process left out.
    pub(crate) fn of(roots: &Roots) -> Self {
        let ticks_ms = tick_ms();
        let mut parts = BTreeMap::new();
        let own = std::process::id();
        for process in family(processes(), roots) {
            if process.pid != own {
                *parts.entry(part(&process)).or_insert(0.0) += process.ticks as f64 * ticks_ms;
            }
        }
        Self(parts)
    }

    /// What this process has used so far.
    pub(crate) fn own_ms() -> f64 {
        std::fs::read_to_string("/proc/self/stat")
            .ok()
            .and_then(|text| parse(&text, false))
            .map_or(0.0, |process| process.ticks as f64 * tick_ms())
    }

    /// All parts together.
    pub(crate) fn total_ms(&self) -> f64 {
        self.0.values().sum()
    }

    /// What was used since `before`, by each of `count`.
    pub(crate) fn each_since(&self, before: &Self, count: usize) -> Self {
        let used = |(part, ms): (&&'static str, &f64)| {
            let since = (ms - before.0.get(part).copied().unwrap_or_default()).max(0.0);
            (*part, since / count.max(1) as f64)
        };
        Self(self.0.iter().map(used).collect())
    }
}

impl Roots {
    /// Adds the parent of `pid`: of a Postgres connection's process, the server.
    pub(crate) fn add_parent_of(&mut self, pid: u32) {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
        self.0.extend(
            stat.and_then(|text| parse(&text, true)).map(|process| process.parent).filter(|pid| *pid > 1),
        );
    }
}

/// Resident memory of the process `pid` (`self`: this one), bytes; 0 where the system does not say.
pub(crate) fn resident_bytes(pid: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn processes() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok());
    numbers
        .filter_map(|entry| parse(&std::fs::read_to_string(entry.path().join("stat")).ok()?, true))
        .collect()
}

/// `roots` and everything below them.
fn family(processes: Vec<Process>, roots: &Roots) -> Vec<Process> {
    let parents: HashMap<u32, u32> = processes.iter().map(|process| (process.pid, process.parent)).collect();
    let belongs = |pid: u32| {
        let mut at = pid;
        // Deeper than any process tree: a bound for one that changes while it is read.
        for _ in 0..64 {
            if roots.0.contains(&at) {
                return true;
            }
            match parents.get(&at) {
                Some(parent) => at = *parent,
                None => return false,
            }
        }
        false
    };
    processes.into_iter().filter(|process| belongs(process.pid)).collect()
}

fn part(process: &Process) -> &'static str {
    match process.name.as_str() {
        "redis-server" => "redis",
        "postgres" => "postgres",
        _ if is_worker(process.pid) => "workers",
        _ => "control plane",
    }
}

fn is_worker(pid: u32) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|argument| argument == b"worker")
}

/// `pid (name) state ppid … utime stime cutime cstime …`; the name may hold anything, parentheses too.
fn parse(stat: &str, with_children: bool) -> Option<Process> {
    let (open, close) = (stat.find('(')?, stat.rfind(')')?);
    let rest: Vec<&str> = stat.get(close + 1..)?.split_whitespace().collect();
    let counted = if with_children { 11..15 } else { 11..13 };
    let ticks = rest.get(counted)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Some(Process {
        pid: stat.get(..open)?.trim().parse().ok()?,
        parent: rest.get(1)?.parse().ok()?,
        name: stat.get(open + 1..close)?.to_owned(),
        ticks,
    })
}

fn tick_ms() -> f64 {
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100);
    1_000.0 / per_second as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_past_a_name_with_parentheses() {
        let line = "7 (a) b) S 3 7 7 0 -1 4194304 10 0 0 0 100 20 30 4 20 0 1 0 5 0 0";
        let all = Process { pid: 7, parent: 3, name: "a) b".into(), ticks: 154 };
        assert_eq!(parse(line, true), Some(all.clone()));
        assert_eq!(parse(line, false), Some(Process { ticks: 120, ..all }));
        assert_eq!(parse("", true), None);
    }

    #[test]
    fn a_family_is_the_roots_and_all_below() {
        let process = |pid, parent| Process { pid, parent, name: String::new(), ticks: 0 };
        let all = vec![process(1, 0), process(5, 1), process(6, 5), process(7, 6), process(8, 1)];
        let found = family(all, &Roots(BTreeSet::from([5])));
        assert_eq!(found.iter().map(|process| process.pid).collect::<Vec<_>>(), [5, 6, 7]);
    }

    #[test]
    fn what_was_used_is_divided() {
        let before = Cpu(BTreeMap::from([("redis", 10.0)]));
        let after = Cpu(BTreeMap::from([("redis", 30.0), ("workers", 4.0)]));
        let each = after.each_since(&before, 2);
        assert_eq!(each, Cpu(BTreeMap::from([("redis", 10.0), ("workers", 2.0)])));
        assert!((each.total_ms() - 12.0).abs() < f64::EPSILON);
    }
}
