//! When `millrace up` is ready: the api says so, and every worker has registered.

use std::time::Duration;

use millrace_bus::{Bus, WorkerRecord};

const POLL: Duration = Duration::from_millis(50);
const ASK_TIMEOUT: Duration = Duration::from_secs(3);
/// After so long it is said what is missing.
const PATIENCE: Duration = Duration::from_secs(15);

/// Waits, however long, until `api` is ready and `workers` workers are registered.
pub(crate) async fn wait(api: &str, bus: &Bus, workers: usize) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().timeout(ASK_TIMEOUT).build()?;
    let begun = std::time::Instant::now();
    let mut said = false;
    loop {
        let missing = match missing(&http, api, bus, workers).await {
            None => return Ok(()),
            Some(missing) => missing,
        };
        if !said && begun.elapsed() > PATIENCE {
            tracing::warn!(%missing, "not ready yet");
            said = true;
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn missing(http: &reqwest::Client, api: &str, bus: &Bus, workers: usize) -> Option<String> {
    match http.get(format!("{api}/readyz")).send().await {
        Err(fault) => return Some(fault.to_string()),
        Ok(answer) if !answer.status().is_success() => return Some(answer.text().await.unwrap_or_default()),
        Ok(_) => {}
    }
    match bus.workers().await {
        Err(fault) => Some(fault.to_string()),
        Ok(found) => {
            let ready = found.iter().filter(|worker| takes_jobs(worker)).count();
            (ready < workers).then(|| format!("{ready} of {workers} workers are ready"))
        }
    }
}

/// Those without details gave no sign of life lately; those that start still load models.
fn takes_jobs(worker: &WorkerRecord) -> bool {
    let info = worker.info.as_deref().map(serde_json::from_str::<serde_json::Value>);
    info.is_some_and(|info| info.is_ok_and(|info| info["state"] == "active"))
}
