//! Work the engine cannot do because it needs the blob store: resolving references, storing large results.

use millrace_blobs::{Blobs, BlobsError};
use millrace_compiler::logic::Call;
use millrace_compiler::plan::Action;
use millrace_contracts::{ErrorKind, JobError};
use millrace_engine::{Execution, Input, ShellWork, ShellWorkKind, Worked};
use serde_json::{Map, Value};

use crate::OrchestratorError;

/// Why a piece of work has no result.
enum Wrong {
    /// It is the work itself.
    Work(JobError),
    /// The blob store is away.
    Store(BlobsError),
}

impl From<JobError> for Wrong {
    fn from(error: JobError) -> Self {
        Self::Work(error)
    }
}

impl From<BlobsError> for Wrong {
    fn from(error: BlobsError) -> Self {
        if error.is_retryable() {
            return Self::Store(error);
        }
        let message = format!("a stored value could not be read or written: {error}");
        Self::Work(JobError::new(ErrorKind::Internal, message))
    }
}

/// Does one piece of work and gives the engine's next input. What fails, fails the node, with its reason.
///
/// # Errors
/// The blob store is away, which is no fault of the run's.
pub(crate) async fn perform(
    blobs: &Blobs,
    run: &Execution,
    work: ShellWork,
) -> Result<Input, OrchestratorError> {
    let ShellWork { key, kind } = work;
    let result = match kind {
        ShellWorkKind::Evaluate { inputs, config } => {
            let node = run.plan().node(key.node);
            match &node.action {
                Action::Logic(logic) => evaluate(blobs, logic, inputs, config).await,
                _ => Err(internal("only logic blocks are evaluated here").into()),
            }
        }
        ShellWorkKind::Store { values, skipped } => store(blobs, values, skipped).await,
        ShellWorkKind::Items { list } => items(blobs, list).await,
    };
    let result = match result {
        Ok(worked) => Ok(worked),
        Err(Wrong::Work(error)) => Err(error),
        Err(Wrong::Store(error)) => return Err(error.into()),
    };
    Ok(Input::Worked { key, result })
}

async fn evaluate(
    blobs: &Blobs,
    logic: &millrace_compiler::logic::Logic,
    inputs: Map<String, Value>,
    config: Map<String, Value>,
) -> Result<Worked, Wrong> {
    let inputs = resolve(blobs, inputs).await?;
    let config = resolve(blobs, config).await?;
    // Several are done side by side, and each may take its time: whoever else waits for this thread comes in between.
    tokio::task::yield_now().await;
    let ports = logic.evaluate(&Call { inputs: &inputs, config: &config })?;
    store(blobs, ports.values, ports.skipped).await
}

async fn resolve(blobs: &Blobs, fields: Map<String, Value>) -> Result<Map<String, Value>, Wrong> {
    match blobs.resolve(&Value::Object(fields)).await? {
        Value::Object(fields) => Ok(fields),
        _ => Err(internal("resolving an object must give an object").into()),
    }
}

async fn store(blobs: &Blobs, values: Map<String, Value>, skipped: Vec<String>) -> Result<Worked, Wrong> {
    let mut stored = Map::new();
    for (port, value) in values {
        stored.insert(port, blobs.claim_check(value).await?);
    }
    Ok(Worked::Ports { values: stored, skipped })
}

async fn items(blobs: &Blobs, list: Value) -> Result<Worked, Wrong> {
    match blobs.resolve_one(&list).await? {
        Value::Array(items) => Ok(Worked::Items { items, stored: list }),
        _ => {
            Err(JobError::new(ErrorKind::InvalidInput, "for_each walks a list and was given something else")
                .at("/inputs/items")
                .into())
        }
    }
}

fn internal(message: &str) -> JobError {
    JobError::new(ErrorKind::Internal, message)
}
