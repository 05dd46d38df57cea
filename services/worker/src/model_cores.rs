//! How much of the processor one model gets, where nobody says it. Rule: a run takes half of the cores at most, so that pictures are
//! decoded beside it; another run of the model may take the other half, for most models take longer than their pictures. Another
//! session of a large model would have to read it once more, so that its sessions are fewer, and a run of it takes all of the cores.

use std::fmt;

use millrace_config::Worker;
use millrace_inference::{Device, LARGE_MODEL_BYTES};

use crate::cpu::cores;

/// More threads make a run hardly shorter.
const MOST_THREADS: usize = 4;
/// The same of a large model, whose operators are large.
const MOST_THREADS_IF_LARGE: usize = 8;
/// Each has the model's weights in memory.
const MOST_SESSIONS: usize = 4;

/// What one model gets, unless its own settings say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelCores {
    /// Its inference sessions, where its size allows as many.
    pub sessions: usize,
    /// The same of a model of more than [`LARGE_MODEL_BYTES`].
    pub sessions_if_large: usize,
    /// Threads of each.
    pub threads: usize,
    /// The same of those of such a large model.
    pub threads_if_large: usize,
}

impl ModelCores {
    /// What the settings say; what they leave open, by the cores that this process may use.
    #[must_use]
    pub fn of(worker: &Worker, device: Device) -> Self {
        Self::among(cores(), worker, device)
    }

    fn among(cores: usize, worker: &Worker, device: Device) -> Self {
        let cores = if device == Device::Cpu { cores / worker.processes.max(1) } else { 1 };
        let half = if device == Device::Cpu { cores / 2 } else { 1 };
        let set = |count: usize| (count > 0).then_some(count);
        let (threads, sessions) = (set(worker.intra_op_threads), set(worker.sessions_per_model));
        let threads = threads.unwrap_or_else(|| (half / sessions.unwrap_or(1)).clamp(1, MOST_THREADS));
        let fitting = |cores: usize| sessions.unwrap_or_else(|| (cores / threads).clamp(1, MOST_SESSIONS));
        let sessions_if_large = fitting(half);
        let all = (cores / sessions_if_large).clamp(1, MOST_THREADS_IF_LARGE);
        let threads_if_large = set(worker.intra_op_threads).unwrap_or(all);
        Self { sessions: fitting(cores), sessions_if_large, threads, threads_if_large }
    }
}

impl fmt::Display for ModelCores {
    /// `2 sessions of 4 threads`, `2 sessions of 1 thread (a model of more than 128 MiB in 1 session of 2 threads)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = |count: usize| if count == 1 { "" } else { "s" };
        let told = |sessions: usize, threads: usize| {
            format!("{sessions} session{} of {threads} thread{}", several(sessions), several(threads))
        };
        let all = told(self.sessions, self.threads);
        let large = told(self.sessions_if_large, self.threads_if_large);
        if large == all {
            return f.write_str(&all);
        }
        write!(f, "{all} (a model of more than {} MiB in {large})", LARGE_MODEL_BYTES >> 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions_and_threads(cores: usize, worker: &Worker) -> (usize, usize) {
        let ModelCores { sessions, threads, .. } = ModelCores::among(cores, worker, Device::Cpu);
        (sessions, threads)
    }

    fn if_large(cores: usize, worker: &Worker) -> (usize, usize) {
        let ModelCores { sessions_if_large, threads_if_large, .. } =
            ModelCores::among(cores, worker, Device::Cpu);
        (sessions_if_large, threads_if_large)
    }

    #[test]
    fn a_run_gets_half_of_the_cores_and_another_the_others() {
        let by_cores = [1, 2, 3, 4, 6, 8, 16, 24, 32, 128];
        let given = by_cores.map(|cores| sessions_and_threads(cores, &Worker::default()));
        let expected = [(1, 1), (2, 1), (3, 1), (2, 2), (2, 3), (2, 4), (4, 4), (4, 4), (4, 4), (4, 4)];
        assert_eq!(given, expected);
        let large = by_cores.map(|cores| if_large(cores, &Worker::default()));
        let expected = [(1, 1), (1, 2), (1, 3), (1, 4), (1, 6), (1, 8), (2, 8), (3, 8), (4, 8), (4, 8)];
        assert_eq!(large, expected);
    }

    #[test]
    fn workers_on_one_machine_share_its_cores() {
        let of_four = Worker { processes: 4, ..Worker::default() };
        assert_eq!([4, 16, 64].map(|cores| sessions_and_threads(cores, &of_four)), [(1, 1), (2, 2), (4, 4)]);
    }

    #[test]
    fn what_is_set_is_done_and_what_is_left_open_fits_beside_it() {
        let worker = |intra_op_threads, sessions_per_model| Worker {
            intra_op_threads,
            sessions_per_model,
            ..Worker::default()
        };
        assert_eq!(sessions_and_threads(2, &worker(3, 5)), (5, 3));
        assert_eq!(sessions_and_threads(16, &worker(2, 0)), (4, 2));
        assert_eq!(sessions_and_threads(16, &worker(0, 3)), (3, 2));
        assert_eq!(sessions_and_threads(2, &worker(0, 8)), (8, 1));
        assert_eq!(if_large(2, &worker(0, 8)), (8, 1));
        assert_eq!(if_large(16, &worker(0, 1)), (1, 8));
        assert_eq!(if_large(16, &worker(6, 0)), (1, 6));
        assert_eq!(if_large(16, &worker(2, 0)), (4, 2));
    }

    #[test]
    fn on_a_gpu_cores_are_none_of_a_models() {
        let (worker, cuda) = (Worker::default(), Device::Cuda(0));
        let one = ModelCores { sessions: 1, sessions_if_large: 1, threads: 1, threads_if_large: 1 };
        assert_eq!(ModelCores::among(64, &worker, cuda), one);
        let two = Worker { sessions_per_model: 2, ..worker };
        assert_eq!(ModelCores::among(64, &two, cuda).sessions, 2);
    }

    #[test]
    fn it_is_told_in_words() {
        let told = |(sessions, threads), (sessions_if_large, threads_if_large)| {
            ModelCores { sessions, sessions_if_large, threads, threads_if_large }.to_string()
        };
        assert_eq!(told((1, 1), (1, 1)), "1 session of 1 thread");
        let two = told((2, 1), (1, 2));
        assert_eq!(two, "2 sessions of 1 thread (a model of more than 128 MiB in 1 session of 2 threads)");
    }
}
