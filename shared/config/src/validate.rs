//! Rules that a type cannot hold: ranges, and settings that must fit each other.

use std::ops::RangeInclusive;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use url::Url;

use crate::{Location, Serving, Settings};

const DAY_SECONDS: u64 = 86_400;
/// Renewed every third of it, over a network.
const SHORTEST_LEASE: Duration = Duration::from_millis(100);
/// What a webhook takes as `timeout_ms`: the job that calls back is one.
const CALLBACK_TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);
/// Three of them fit into the 15 s without a word after which a worker counts as lost.
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(5);
const TOO_SHORT_A_LEASE: &str = "must be at least 100ms, or replicas take from each other what is in hand";

/// Every broken rule as (key, message).
pub(crate) fn faults(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { redis, database, models, retention, cost, .. } = settings;
    let mut faults = Vec::new();
    let mut rule = |holds: bool, key, message: &str| {
        if !holds {
            faults.push((key, message.to_owned()));
        }
    };
    rule((1..=1024).contains(&redis.partitions), "redis.partitions", "must be 1 to 1024");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    rule(
        !redis.prefix.is_empty() && redis.prefix.chars().all(plain),
        "redis.prefix",
        "must be letters, digits, and - _ . : only, and not empty",
    );
    let redis_scheme = matches!(redis.url.scheme(), "redis" | "rediss" | "redis+unix" | "unix");
    rule(redis_scheme, "redis.url", "must begin with redis://, rediss:// or redis+unix://");
    let redis_tls = redis.url.scheme() == "rediss";
    let only_for_tls = "is for a redis.url that begins with rediss://";
    rule(redis_tls || redis.ca_file.is_none(), "redis.ca_file", only_for_tls);
    rule(redis_tls || redis.certificate_file.is_none(), "redis.certificate_file", only_for_tls);
    rule(
        redis.certificate_file.is_some() == redis.key_file.is_some(),
        "redis.certificate_file",
        "and its key, redis.key_file, are given together or not at all",
    );
    let database_scheme = matches!(database.url.scheme(), "postgres" | "postgresql");
    rule(database_scheme, "database.url", "must begin with postgres://");
    rule(database.max_connections > 0, "database.max_connections", "must be at least 1");
    let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    rule(
        !database.schema.is_empty() && database.schema.chars().all(name),
        "database.schema",
        "must be lower-case letters, digits and _ only, and not empty",
    );
    rule(models.memory_factor >= 1.0, "models.memory_factor", "must be at least 1");
    rule(!models.look_every.is_zero(), "models.look_every", "must be more than 0s");
    rule(!models.warm_up_limit.is_zero(), "models.warm_up_limit", "must be more than 0s");
    rule(!models.download_limit.is_zero(), "models.download_limit", "must be more than 0s");
    rule(models.max_loaded > 0, "models.max_loaded", "must be at least 1");
    rule(
        models.serving.values().all(is_runnable),
        "models.serving",
        "sessions, intra_op_threads, max_batch, max_batch_cells and concurrency must each be at least 1",
    );
    rule((1..=10_000).contains(&retention.step), "retention.step", "must be 1 to 10000");
    rule(
        retention.blobs.is_zero() || retention.blobs >= Duration::from_secs(12 * 3600),
        "retention.blobs",
        "must be at least 12h, or 0s to keep them: what is in use is only told from time to time",
    );
    rule(
        retention.events.as_secs().is_multiple_of(DAY_SECONDS) && retention.events.subsec_nanos() == 0,
        "retention.events",
        "must be whole days, such as 2days, or 0s to keep them: events are kept and deleted by the day",
    );
    rule(
        cost.prices.values().all(|price| price.is_finite() && *price >= 0.0),
        "cost.prices",
        "must be numbers that are not negative",
    );
    faults.extend(faults_of_worker(settings));
    faults.extend(faults_of_orchestrator(settings));
    faults.extend(faults_of_writer(settings));
    faults.extend(faults_of_telemetry(settings));
    faults.extend(faults_of_objects(settings));
    faults.extend(faults_of_io(settings));
    faults.extend(faults_of_api(settings));
    faults
}

/// Whether a model that is run so is run at all.
fn is_runnable(own: &Serving) -> bool {
    let counts = [own.sessions, own.intra_op_threads, own.max_batch, own.concurrency];
    counts.iter().all(|count| *count != Some(0)) && own.max_batch_cells != Some(0)
}

/// The broken rules of what runs jobs.
fn faults_of_worker(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { worker, .. } = settings;
    let mut faults = Vec::new();
    let mut rule = |holds: bool, key, message: &str| {
        if !holds {
            faults.push((key, message.to_owned()));
        }
    };
    rule(!worker.pools.is_empty(), "worker.pools", "must name at least one pool");
    rule(
        worker.pools.iter().all(|pool| is_name(pool)),
        "worker.pools",
        "must be names as nodes give them: a letter or _, then letters, digits, _ and -, 64 characters at most",
    );
    rule(worker.concurrency > 0, "worker.concurrency", "must be at least 1");
    rule(worker.max_batch > 0, "worker.max_batch", "must be at least 1");
    rule(worker.max_batch_cells > 0, "worker.max_batch_cells", "must be at least 1");
    rule(worker.max_deliveries > 0, "worker.max_deliveries", "must be at least 1");
    rule(worker.processes > 0, "worker.processes", "must be at least 1");
    rule(!worker.heartbeat.is_zero(), "worker.heartbeat", "must be more than 0s");
    rule(
        worker.heartbeat.saturating_mul(2) <= worker.lease,
        "worker.heartbeat",
        "must be at most half of worker.lease, or jobs in hand are taken over",
    );
    rule(
        worker.heartbeat <= LONGEST_HEARTBEAT,
        "worker.heartbeat",
        "must be at most 5s: a worker without a sign of life for 15 s counts as lost",
    );
    rule(!worker.block.is_zero(), "worker.block", "must be more than 0s");
    rule(!worker.job_timeout.is_zero(), "worker.job_timeout", "must be more than 0s");
    faults
}

/// Whether a node can name a pool so.
fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(letter)
        && text.len() <= 64
        && text.chars().all(|c| letter(c) || c.is_ascii_digit() || c == '-')
}

/// The broken rules of what walks the workflows.
fn faults_of_orchestrator(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { orchestrator, .. } = settings;
    let mut faults = Vec::new();
    let mut rule = |holds: bool, key, message: &str| {
        if !holds {
            faults.push((key, message.to_owned()));
        }
    };
    rule((1..=256).contains(&orchestrator.lanes), "orchestrator.lanes", "must be 1 to 256");
    rule(orchestrator.max_running_runs > 0, "orchestrator.max_running_runs", "must be at least 1");
    rule(orchestrator.batch_size > 0, "orchestrator.batch_size", "must be at least 1");
    rule(!orchestrator.block.is_zero(), "orchestrator.block", "must be more than 0s");
    rule(orchestrator.lease >= SHORTEST_LEASE, "orchestrator.lease", TOO_SHORT_A_LEASE);
    rule(!orchestrator.sweep_interval.is_zero(), "orchestrator.sweep_interval", "must be more than 0s");
    rule(!orchestrator.schedule_sweep.is_zero(), "orchestrator.schedule_sweep", "must be more than 0s");
    rule(
        orchestrator.keep_finished >= orchestrator.stalled_after.saturating_mul(3),
        "orchestrator.keep_finished",
        "must be at least three times orchestrator.stalled_after, or runs that have just ended look as if they were lost, and \
         those that were lost as if they had just ended",
    );
    rule((1..=1_000_000).contains(&orchestrator.max_items), "orchestrator.max_items", "must be 1 to 1000000");
    rule(orchestrator.max_node_runs > 0, "orchestrator.max_node_runs", "must be at least 1");
    rule((1..=16).contains(&orchestrator.chain_nodes), "orchestrator.chain_nodes", "must be 1 to 16");
    rule(
        (1..=100).contains(&orchestrator.callback_attempts),
        "orchestrator.callback_attempts",
        "must be 1 to 100",
    );
    rule(
        CALLBACK_TIMEOUTS.contains(&orchestrator.callback_timeout),
        "orchestrator.callback_timeout",
        "must be 1ms to 60s",
    );
    rule(
        orchestrator.callback_signing_secret.as_ref().is_none_or(|name| (1..=128).contains(&name.len())),
        "orchestrator.callback_signing_secret",
        "must be the name of a secret, 1 to 128 characters",
    );
    faults
}

/// The broken rules of what records.
fn faults_of_writer(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { writer, .. } = settings;
    let mut faults = Vec::new();
    let mut rule = |holds: bool, key, message: &str| {
        if !holds {
            faults.push((key, message.to_owned()));
        }
    };
    rule((1..=64).contains(&writer.lanes), "writer.lanes", "must be 1 to 64");
    rule(writer.batch_size > 0, "writer.batch_size", "must be at least 1");
    rule(writer.lease >= SHORTEST_LEASE, "writer.lease", TOO_SHORT_A_LEASE);
    rule(!writer.upkeep_interval.is_zero(), "writer.upkeep_interval", "must be more than 0s");
    rule(!writer.fleet_interval.is_zero(), "writer.fleet_interval", "must be more than 0s");
    faults
}

/// The broken rules of what a process says about itself.
fn faults_of_telemetry(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { telemetry, .. } = settings;
    let mut faults = Vec::new();
    let mut rule = |holds: bool, key, message: &str| {
        if !holds {
            faults.push((key, message.to_owned()));
        }
    };
    rule(
        is_web(telemetry.otlp_endpoint.as_ref()),
        "telemetry.otlp_endpoint",
        "must begin with http:// or https://",
    );
    rule((0.0..=1.0).contains(&telemetry.trace_ratio), "telemetry.trace_ratio", "must be 0 to 1");
    if let Err(fault) = EnvFilter::builder().parse(&telemetry.log) {
        let way_out = "write a level such as info, or directives such as info,millrace_bus=debug";
        faults.push(("telemetry.log", format!("{fault}; {way_out}")));
    }
    faults
}

/// Whether it is the address of a web service, or none.
fn is_web(url: Option<&String>) -> bool {
    let is_address = |url: &String| Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    url.is_none_or(is_address)
}

/// The broken rules of object stores and what is kept in them.
fn faults_of_objects(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { blobs, objects, .. } = settings;
    let mut faults = Vec::new();
    if let Err(fault) = blobs.url.parse::<Location>() {
        faults.push(("blobs.url", fault));
    }
    if !is_web(objects.endpoint.as_ref()) {
        faults.push(("objects.endpoint", "must begin with http:// or https://".to_owned()));
    }
    if objects.access_key_id.is_some() != objects.secret_access_key.is_some() {
        let message = "the key and its secret, objects.secret_access_key, are given together or not at all";
        faults.push(("objects.access_key_id", message.to_owned()));
    }
    faults
}

/// The broken rules of what workers do with the world outside.
fn faults_of_io(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { io, .. } = settings;
    let mut faults = Vec::new();
    let mut rule = |holds: bool, key, message: &str| {
        if !holds {
            faults.push((key, message.to_owned()));
        }
    };
    rule(io.concurrency > 0, "io.concurrency", "must be at least 1");
    rule(is_web(io.collections_url.as_ref()), "io.collections_url", "must begin with http:// or https://");
    rule(is_web(io.qdrant_url.as_ref()), "io.qdrant_url", "must begin with http:// or https://");
    rule(!io.search_timeout.is_zero(), "io.search_timeout", "must be more than 0s");
    faults
}

/// The broken rules of what serves clients.
fn faults_of_api(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { api, auth, collections, database, .. } = settings;
    let mut faults = Vec::new();
    let mut rule = |holds: bool, key, message: &str| {
        if !holds {
            faults.push((key, message.to_owned()));
        }
    };
    rule(api.max_concurrent_requests > 0, "api.max_concurrent_requests", "must be at least 1");
    rule(api.accept_batch > 0, "api.accept_batch", "must be at least 1");
    rule(api.accept_queue >= api.accept_batch, "api.accept_queue", "must be at least api.accept_batch");
    rule(api.max_connections > 0, "api.max_connections", "must be at least 1");
    rule(!api.header_timeout.is_zero(), "api.header_timeout", "must be more than 0s");
    rule(auth.requests_per_second > 0, "auth.requests_per_second", "must be at least 1");
    rule(auth.burst > 0, "auth.burst", "must be at least 1");
    rule(
        auth.signing_secret.as_ref().is_none_or(|secret| secret.expose().len() >= 32),
        "auth.signing_secret",
        "must have 32 characters or more",
    );
    rule(
        auth.allowed_origins.iter().all(|origin| {
            origin.split_once("://").is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'))
        }),
        "auth.allowed_origins",
        "must be origins such as https://console.example.com, without a path",
    );
    rule(api.stream_buffer > 0, "api.stream_buffer", "must be at least 1");
    rule(!api.stream_ping.is_zero(), "api.stream_ping", "must be more than 0s");
    rule(collections.writers > 0, "collections.writers", "must be at least 1");
    rule(
        collections.writers < database.max_connections,
        "collections.writers",
        "must be less than database.max_connections, or nothing else gets a connection while points are written",
    );
    rule((1..=10_000).contains(&collections.max_batch), "collections.max_batch", "must be 1 to 10000");
    faults
}

/// What is legal and probably not meant.
pub(crate) fn warnings(settings: &Settings) -> Vec<String> {
    let Settings { api, blobs, io, orchestrator, worker, .. } = settings;
    let mut warnings = Vec::new();
    let mut warn = |odd: bool, message: &str| {
        if odd {
            warnings.push(message.to_owned());
        }
    };
    warn(
        orchestrator.lanes > usize::from(settings.redis.partitions),
        "orchestrator.lanes exceeds redis.partitions: the lanes above have nothing to do",
    );
    warn(
        orchestrator.callback_signing_secret.as_ref().is_some_and(|name| !io.secrets.contains_key(name)),
        "orchestrator.callback_signing_secret names a secret that io.secrets does not have here: workers need it",
    );
    warn(
        api.max_body > blobs.max_blob,
        "api.max_body exceeds blobs.max_blob: bodies between the two are read and then refused",
    );
    warn(
        worker.lease.as_secs() > 10,
        "worker.lease is over 10 s: jobs of a worker that died stand still for longer than that",
    );
    warn(
        api.max_pixels > worker.max_pixels,
        "api.max_pixels exceeds worker.max_pixels: images between the two are accepted and then fail",
    );
    warnings
}
