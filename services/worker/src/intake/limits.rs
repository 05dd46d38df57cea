//! The limits that are set for models (`[serving] concurrency`), kept to the job: a read that blocks may bring a job more than was
//! wanted, and so may one that finds a model in two pools. What is too much is given back, for whoever has a hand for it.

use std::collections::HashMap;

use millrace_bus::{EntryId, JobDelivery, QueueKey};
use millrace_contracts::ModelId;

use crate::role::Shared;
use crate::router::Router;

/// `jobs` but for those beyond the limit of their model. What is taken over from a worker that died stays: it is counted.
pub(super) async fn keep(shared: &Shared, router: &Router, jobs: Vec<JobDelivery>) -> Vec<JobDelivery> {
    let mut in_hand: HashMap<ModelId, usize> = HashMap::new();
    let is_within = |delivery: &JobDelivery| {
        let Some(model) = &delivery.queue.model else { return true };
        let Some(most) = router.limit(model) else { return true };
        let count = in_hand.entry(model.clone()).or_insert_with(|| shared.held.count_of_model(model));
        let is_within = *count < most || delivery.deliveries > 1;
        *count += usize::from(is_within);
        is_within
    };
    let (kept, beyond): (Vec<_>, Vec<_>) = jobs.into_iter().partition(is_within);
    if !beyond.is_empty() {
        give_back(shared, beyond).await;
    }
    kept
}

async fn give_back(shared: &Shared, jobs: Vec<JobDelivery>) {
    let claims: Vec<(QueueKey, EntryId)> = jobs.into_iter().map(|job| (job.queue, job.entry)).collect();
    if let Err(error) = shared.bus.hand_back(&shared.worker, &claims).await {
        tracing::warn!(
            %error, jobs = claims.len(),
            "jobs beyond their model's limit could not be given back; they are taken over once their claims are stale"
        );
    }
}
