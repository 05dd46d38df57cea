//! `[worker]`: the role that runs jobs.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ByteSize, Device};

/// The role that runs jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Worker {
    /// Pools this worker takes jobs from.
    pub pools: Vec<String>,
    /// Jobs in hand at once, those of the pool `io` not counted.
    pub concurrency: usize,
    /// Jobs in hand beyond those, of workflows that have none in hand: a lone run does not wait for the jobs of a batch.
    pub spare_hands: usize,
    /// While a job is in hand that is its workflow's only one, the work of other workflows leaves two cores free, and for so long
    /// afterwards one; where there are but two, it has one again after so long. A lone run waits less behind a batch, and
    /// the batch is slower meanwhile. 0ms: it never does.
    #[serde(with = "crate::span")]
    pub courtesy: Duration,
    /// Threads for decoding and transforms; 0 means one per core.
    pub cpu_threads: usize,
    /// What models run on: auto (a GPU where one works, else the processor), cpu, cuda:N, or tensorrt:N. One that is named and
    /// does not work keeps the worker from starting.
    pub device: Device,
    /// Whether a GPU may compute products of matrices and convolutions in TF32 where the model is in single precision: it is
    /// faster on cards since Ampere, and rounds every factor to 10 bits of mantissa (three digits) instead of 23. The same
    /// on all workers; results from before a change may be reused.
    pub tf32: bool,
    /// Threads of one inference session; sessions × threads should not exceed the cores. 0 means half of the cores that the
    /// process may use, up to four; of a model of more than 128 MiB all that its sessions find, up to eight each. On a GPU 1.
    pub intra_op_threads: usize,
    /// Inference sessions of one model, each with the model's weights. 0 means by the cores: as many, up to four, as their
    /// threads fit into them, of a model of more than 128 MiB into half of them, and by the files into a quarter of
    /// `models.memory_budget`. On a GPU 1.
    pub sessions_per_model: usize,
    /// Worker processes that share the machine's cores: what is left to the cores is reckoned from this one's share.
    /// `millrace up --workers N` says N.
    pub processes: usize,
    /// Most rows in one inference.
    pub max_batch: usize,
    /// How long a batch may wait for more rows.
    #[serde(with = "crate::span")]
    pub max_batch_delay: Duration,
    /// Most pixels, padding included, in one inference, all its rows together (of tokens, for text); a row that has more
    /// runs alone.
    pub max_batch_cells: u64,
    /// What one inference should take at most: batches grow and shrink to meet it; 0ms for as large as they may.
    #[serde(with = "crate::span")]
    pub batch_latency_target: Duration,
    /// One inference takes at most so many times what one row takes alone, and a tenth less than its rows one after the other, so
    /// that whoever comes next does not wait for a large batch that gains little; 0 for however long.
    pub batch_stretch: u32,
    /// A worker that does not have a job's model leaves the job for so long to one of its pool that does.
    #[serde(with = "crate::span")]
    pub steal_after: Duration,
    /// A job that was handed out so often and took its worker down each time is set aside. From two on, the last time it is in
    /// hand alone, so that no other job is taken for it.
    pub max_deliveries: u32,
    /// Largest image, width × height, that is decoded.
    pub max_pixels: u64,
    /// Red, green and blue that show where a picture is transparent. When absent, alpha is dropped and the colour under it
    /// counts: so OpenCV's colour mode and Pillow's `convert("RGB")` read pictures, and with them Ultralytics and
    /// transformers, whose models would see others than they were trained on. The same on all workers; results from before a
    /// change may be reused.
    pub background: Option<[u8; 3]>,
    /// Memory for decoded pictures that several blocks look at; one counts for half of it at most.
    pub frame_cache: ByteSize,
    /// Longest a job without a deadline of its own may take, once its model is on the disk (`models.download_limit`).
    #[serde(with = "crate::span")]
    pub job_timeout: Duration,
    /// How long a read waits for jobs.
    #[serde(with = "crate::span")]
    pub block: Duration,
    /// A job taken and not kept for so long is taken over by another worker.
    #[serde(with = "crate::span")]
    pub lease: Duration,
    /// Pause between signs of life, at most 5 s.
    #[serde(with = "crate::span")]
    pub heartbeat: Duration,
    /// How long jobs in hand may finish once the role is told to stop; the rest is handed back.
    #[serde(with = "crate::span")]
    pub grace: Duration,
    /// Serve /healthz, /readyz and /metrics here; nowhere when absent. The workers of `millrace up` do then, each at a port of its
    /// own of 127.0.0.1, which `millrace workers list` shows.
    pub health_listen: Option<SocketAddr>,
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            pools: ["fast", "heavy", "batch", "cpu", "io"].map(str::to_owned).to_vec(),
            concurrency: 16,
            spare_hands: 4,
            courtesy: Duration::from_millis(10),
            cpu_threads: 0,
            device: Device::Auto,
            tf32: false,
            intra_op_threads: 0,
            sessions_per_model: 0,
            processes: 1,
            max_batch: 8,
            max_batch_delay: Duration::from_millis(0),
            max_batch_cells: 1 << 25,
            batch_latency_target: Duration::ZERO,
            batch_stretch: 3,
            steal_after: Duration::from_millis(250),
            max_deliveries: 3,
            max_pixels: 100_000_000,
            background: None,
            frame_cache: ByteSize::mib(32),
            job_timeout: Duration::from_secs(120),
            block: Duration::from_secs(1),
            lease: Duration::from_secs(6),
            heartbeat: Duration::from_secs(2),
            grace: Duration::from_secs(8),
            health_listen: None,
        }
    }
}
