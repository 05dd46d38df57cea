//! The cache of models, from the settings.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use millrace_config::{Models, Worker};
use millrace_contracts::ModelId;
use millrace_inference::{
    CacheSettings, InferenceError, LoaderSettings, ModelCache, ModelLoader, Repository, Serving,
    SessionSettings,
};

use crate::Deps;
use crate::cpu::{CpuPool, Turn};
use crate::model_events::ModelEvents;

/// An empty cache over the repository.
pub(crate) fn open(
    deps: &Deps,
    worker: &Worker,
    models: &Models,
    observer: ModelEvents,
) -> Result<ModelCache, InferenceError> {
    let sessions = SessionSettings {
        sessions: worker.sessions_per_model,
        intra_op_threads: worker.intra_op_threads,
        max_batch: worker.max_batch,
        max_cells: worker.max_batch_cells,
        max_delay: worker.max_batch_delay,
        target_latency: worker.batch_latency_target,
        queue: worker.concurrency.max(1) * 2,
    };
    let serving = models.serving.iter().map(|(id, own)| (ModelId::from(id.as_str()), serving(own)));
    let loader = ModelLoader::new(LoaderSettings {
        library: deps.library.clone(),
        repository: Repository::new(models.dir.clone()).with_downloads(models.downloads.clone()),
        max_bytes: models.max_file.bytes(),
        sessions,
        serving: serving.collect::<HashMap<_, _>>(),
    });
    let bounds = CacheSettings {
        max_models: models.max_loaded,
        max_bytes: models.memory_budget.bytes(),
        memory_factor: models.memory_factor,
        warm_up_rows: models.warm_up_rows,
        pinned: models.pinned.iter().map(|id| ModelId::from(id.as_str())).collect(),
        idle_timeout: models.idle_timeout,
        keep_warm: models.keep_warm,
        switch_after: models.switch_after,
        facts: models.memory_facts.clone(),
        ..CacheSettings::default()
    };
    ModelCache::new(loader, bounds, Arc::new(observer))
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

/// Loads what is to be there from the start, one after the other. What goes wrong is told by the cache's observer; the
/// first job that wants the model tries again.
pub(crate) async fn preload(models: &ModelCache, ids: &[String]) {
    for id in ids {
        drop(models.get(&ModelId::from(id.as_str())).await);
    }
}

/// Models that are told to others at most.
const MOST_TOLD: usize = 256;

/// The models there are to load.
pub(crate) async fn inventory(folder: &Path, cpu: &CpuPool) -> Arc<[ModelId]> {
    let repository = Repository::new(folder);
    let listed = cpu.run(Turn::default(), move || repository.list()).await;
    let mut ids = listed.map(|(ids, _)| ids).unwrap_or_default();
    ids.truncate(MOST_TOLD);
    ids.into()
}
