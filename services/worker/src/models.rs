//! The repository and the cache of models, from the settings.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use millrace_config::{BucketUrl, Location, Models, Objects, Worker};
use millrace_contracts::{IO_POOL, ModelId};
use millrace_inference::{
    BySize, CacheSettings, Chosen, Device, GpuSettings, InferenceError, LoaderSettings, ModelCache,
    ModelLoader, Pinned, Repository, Serving, SessionSettings, Transfer,
};
use millrace_objects::ObjectsError;
use millrace_tasks::Courtesy;

use crate::cpu::{Caller, CpuPool};
use crate::downloads::bucket::Bucket;
use crate::model_cores::ModelCores;
use crate::model_events::ModelEvents;
use crate::{Deps, WorkerError};

/// The pool whose blocks need no model.
const POOL_WITHOUT_MODELS: &str = "cpu";
/// Sessions of which nobody said how many there are to be take no more of the memory for models than one in so many parts, as
/// far as that is known from a model's files: others are to fit beside it, and a large one is not to be refused for them.
const PARTS_OF_MEMORY: f64 = 4.0;

/// What models run on, by the settings and by what is there. It is told with its reasons.
///
/// # Errors
/// The library cannot be loaded, or the device that is asked for cannot be used.
pub(crate) async fn device(deps: &Deps, worker: &Worker, cpu: &CpuPool) -> Result<Chosen, WorkerError> {
    // Without a pool that needs models the library may be missing.
    if worker.pools.iter().all(|pool| pool == POOL_WITHOUT_MODELS) {
        return Ok(Chosen::default());
    }
    let (library, wanted) = (deps.library.clone(), wanted_device(worker.device));
    let chosen = cpu.run(Caller::own(), move || Chosen::of(&library, wanted)).await;
    let (chosen, _) = chosen
        .map_err(|panic| WorkerError::Thread { name: "pixels", source: std::io::Error::other(panic.0) })?;
    let chosen = chosen?;
    let cores = ModelCores::of(worker, chosen.device);
    tracing::info!(
        model.sessions = cores.sessions, model.threads = cores.threads, worker.cores = crate::cpu::cores(),
        device = %chosen.device, gpu.model = chosen.gpu_model,
        gpu.pinned = chosen.pinned.as_ref().map(|pinned| *pinned == Pinned::Yes),
        why_not_better = chosen.why_not_better.join("; "), "models run on {chosen}; each in {cores}"
    );
    Ok(chosen)
}

/// The device that the settings ask for; none for the best there is.
#[must_use]
pub fn wanted_device(device: millrace_config::Device) -> Option<Device> {
    match device {
        millrace_config::Device::Auto => None,
        millrace_config::Device::Cpu => Some(Device::Cpu),
        millrace_config::Device::Cuda(index) => Some(Device::Cuda(index)),
        millrace_config::Device::TensorRt(index) => Some(Device::TensorRt(index)),
    }
}

/// The folder that the models of this worker's pools are in; none for a bucket, and where none of its pools needs a model.
#[must_use]
pub fn models_folder<'a>(worker: &Worker, models: &'a Models) -> Option<&'a Path> {
    let needs_models = |pool: &String| pool != POOL_WITHOUT_MODELS && pool != IO_POOL;
    models.dir.folder().filter(|_| worker.pools.iter().any(needs_models))
}

/// An empty cache over the repository.
pub(crate) fn open(
    (deps, repository, courtesy): (&Deps, Repository, &Courtesy),
    device: Device,
    (worker, models): (&Worker, &Models),
    observer: ModelEvents,
) -> Result<ModelCache, InferenceError> {
    let cores = ModelCores::of(worker, device);
    let sessions = SessionSettings {
        device,
        gpu: GpuSettings { max_bytes: Some(models.memory_budget.bytes()), tf32: worker.tf32 },
        transfer: Transfer::ByDevice,
        sessions: cores.sessions,
        by_size: Some(by_size(cores, worker, models)),
        intra_op_threads: cores.threads,
        max_batch: worker.max_batch,
        max_cells: worker.max_batch_cells,
        max_delay: worker.max_batch_delay,
        target_latency: worker.batch_latency_target,
        max_stretch: worker.batch_stretch,
        queue: worker.concurrency.max(1) * 2,
    };
    let serving = models.serving.iter().map(|(id, own)| (ModelId::from(id.as_str()), serving(own)));
    let loader = ModelLoader::new(LoaderSettings {
        library: deps.library.clone(),
        repository,
        max_bytes: models.max_file.bytes(),
        sessions,
        serving: serving.collect::<HashMap<_, _>>(),
    })
    .with_courtesy(courtesy.clone());
    let bounds = CacheSettings {
        max_models: models.max_loaded,
        max_bytes: models.memory_budget.bytes(),
        memory_factor: models.memory_factor,
        warm_up_rows: models.warm_up_rows,
        warm_up_limit: models.warm_up_limit,
        pinned: models.pinned.iter().map(|id| ModelId::from(id.as_str())).collect(),
        idle_timeout: models.idle_timeout,
        keep_warm: models.keep_warm,
        switch_after: models.switch_after,
        facts: models.memory_facts.clone(),
        ..CacheSettings::default()
    };
    ModelCache::new(loader, bounds, Arc::new(observer))
}

/// What a model's files change. Who says how many sessions there are has thought of the memory.
fn by_size(cores: ModelCores, worker: &Worker, models: &Models) -> BySize {
    let ModelCores { sessions_if_large, threads_if_large, .. } = cores;
    let part = models.memory_budget.bytes() as f64 / models.memory_factor.max(1.0) / PARTS_OF_MEMORY;
    let most_read_bytes = if worker.sessions_per_model == 0 { part as u64 } else { u64::MAX };
    BySize { sessions_if_large, threads_if_large, most_read_bytes }
}

fn serving(own: &millrace_config::Serving) -> Serving {
    Serving {
        sessions: own.sessions,
        intra_op_threads: own.intra_op_threads,
        max_batch: own.max_batch,
        max_batch_cells: own.max_batch_cells,
        max_batch_delay: own.max_batch_delay,
        batch_latency_target: own.batch_latency_target,
        concurrency: own.concurrency,
    }
}

/// Where models are, and the bucket that they are in if they are in one.
pub(crate) fn repository(
    models: &Models,
    objects: &Objects,
) -> Result<(Repository, Option<Bucket>), WorkerError> {
    let (repository, bucket) = match &models.dir {
        Location::Folder(folder) => (Repository::new(folder), None),
        Location::Bucket(url) => (Repository::elsewhere(), Some(Bucket::open(url, objects)?)),
    };
    Ok((repository.with_downloads(models.downloads.clone()), bucket))
}

/// The models in a bucket.
///
/// # Errors
/// The settings make no sense, or the store is away or refuses.
pub async fn models_in_bucket(url: &BucketUrl, objects: &Objects) -> Result<Vec<ModelId>, ObjectsError> {
    Bucket::open(url, objects)?.look().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_large_model_is_done_whoever_says_how_many_sessions_there_are() {
        let models = Models::default();
        let of = |sessions_per_model| {
            let worker = Worker { sessions_per_model, ..Worker::default() };
            let cores = ModelCores { sessions: 4, sessions_if_large: 2, threads: 4, threads_if_large: 8 };
            by_size(cores, &worker, &models)
        };
        let (left_open, said) = (of(0), of(4));
        for found in [left_open, said] {
            assert_eq!((found.sessions_if_large, found.threads_if_large), (2, 8));
        }
        assert!(left_open.most_read_bytes < models.memory_budget.bytes());
        assert_eq!(said.most_read_bytes, u64::MAX);
    }
}
