//! `[api]`: what the REST api listens on, admits and holds.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ByteSize, RunUrl};

/// What the REST api listens on, admits and holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Address and port to serve on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Largest request body.
    pub max_body: ByteSize,
    /// Largest workflow definition, as JSON.
    pub max_definition: ByteSize,
    /// Requests served at once, event streams not counted; more get 503 with Retry-After.
    pub max_concurrent_requests: usize,
    /// Connections open at once, event streams included; more wait to be taken.
    pub max_connections: usize,
    /// Longest a connection may take to send the head of a request, and a kept one to send the next.
    #[serde(with = "crate::span")]
    pub header_timeout: Duration,
    /// Longest a request may take, `?wait=` and event streams not counted.
    #[serde(with = "crate::span")]
    pub request_timeout: Duration,
    /// Longest `?wait=`.
    #[serde(with = "crate::span")]
    pub max_wait: Duration,
    /// Most runs in one run-batch.
    pub max_batch_runs: usize,
    /// Largest image, width × height, that is accepted as an input.
    pub max_pixels: u64,
    /// Submissions waiting for their commit; more get 503 with Retry-After.
    pub accept_queue: usize,
    /// Most submissions committed together.
    pub accept_batch: usize,
    /// Changes that may wait to be noted for the audit while Redis is away; more get 503 with Retry-After.
    pub audit_queue: usize,
    /// Runs that may wait to begin; more get 503 with Retry-After.
    pub max_waiting_runs: u64,
    /// Runs of one workflow that may wait to begin; more get 429 with Retry-After.
    pub max_waiting_runs_per_workflow: u64,
    /// Jobs that may wait for one pool and model before runs that use them get 429 with Retry-After.
    pub max_waiting_jobs: u64,
    /// How long an Idempotency-Key is remembered.
    #[serde(with = "crate::span")]
    pub idempotency_window: Duration,
    /// Most registered models.
    pub max_models: u32,
    /// Most schedules in all.
    pub max_schedules: u32,
    /// Most schedules of one workflow.
    pub max_schedules_per_workflow: u32,
    /// Shortest pause between two firings of a schedule.
    #[serde(with = "crate::span")]
    pub min_schedule_pause: Duration,
    /// Event streams (SSE) open at once; more get 503 with Retry-After.
    pub max_streams: usize,
    /// Events held for one slow stream before it is closed; it resumes by Last-Event-ID.
    pub stream_buffer: usize,
    /// Pause between `: ping` comments on an idle stream.
    #[serde(with = "crate::span")]
    pub stream_ping: Duration,
    /// Where a run's trace can be read, such as `https://jaeger.example.com/trace/{trace_id}`: a run's page links to it.
    /// `{execution_id}` may stand in it too.
    pub trace_url: Option<RunUrl>,
    /// The same for the log lines of a run, which name its trace id.
    pub logs_url: Option<RunUrl>,
    /// How long requests may finish once the role is told to stop.
    #[serde(with = "crate::span")]
    pub grace: Duration,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            max_body: ByteSize::mib(64),
            max_definition: ByteSize::mib(4),
            max_concurrent_requests: 1024,
            max_connections: 24_000,
            header_timeout: Duration::from_secs(15),
            request_timeout: Duration::from_secs(30),
            max_wait: Duration::from_secs(60),
            max_batch_runs: 1000,
            max_pixels: 50_000_000,
            accept_queue: 4096,
            accept_batch: 256,
            audit_queue: 1000,
            max_waiting_runs: 100_000,
            max_waiting_runs_per_workflow: 50_000,
            max_waiting_jobs: 1_000_000,
            idempotency_window: Duration::from_secs(86400),
            max_models: 10_000,
            max_schedules: 10_000,
            max_schedules_per_workflow: 100,
            min_schedule_pause: Duration::from_secs(1),
            max_streams: 20_000,
            stream_buffer: 1024,
            stream_ping: Duration::from_secs(15),
            trace_url: None,
            logs_url: None,
            grace: Duration::from_secs(8),
        }
    }
}
