//! Work the engine cannot do because it needs the blob store: resolving references, storing large results.

use millrace_blobs::BlobsError;
use millrace_compiler::logic::Call;
use millrace_compiler::plan::Action;
use millrace_contracts::{ErrorKind, JobError};
use millrace_engine::{Execution, Input, ShellWork, ShellWorkKind, Worked};
use serde_json::{Map, Value};

use crate::OrchestratorError;
use crate::role::Shared;

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
    shared: &Shared,
    run: &Execution,
    work: ShellWork,
) -> Result<Input, OrchestratorError> {
    let ShellWork { key, kind } = work;
    let result = match kind {
        ShellWorkKind::Evaluate { inputs, config } => {
            let node = run.plan().node(key.node);
            match &node.action {
                Action::Logic(logic) => evaluate(shared, logic, inputs, config).await,
                _ => Err(internal("only logic blocks are evaluated here").into()),
            }
        }
        ShellWorkKind::Store { values, skipped } => store(shared, values, skipped).await,
        ShellWorkKind::Items { list } => items(shared, list).await,
    };
    let result = match result {
        Ok(worked) => Ok(worked),
        Err(Wrong::Work(error)) => Err(error),
        Err(Wrong::Store(error)) => return Err(error.into()),
    };
    Ok(Input::Worked { key, result })
}

async fn evaluate(
    shared: &Shared,
    logic: &millrace_compiler::logic::Logic,
    inputs: Map<String, Value>,
    config: Map<String, Value>,
) -> Result<Worked, Wrong> {
    let inputs = resolve(shared, inputs).await?;
    let config = resolve(shared, config).await?;
    let ports = logic.evaluate(&Call { inputs: &inputs, config: &config })?;
    store(shared, ports.values, ports.skipped).await
}

async fn resolve(shared: &Shared, fields: Map<String, Value>) -> Result<Map<String, Value>, Wrong> {
    match shared.blobs.resolve(&Value::Object(fields)).await? {
        Value::Object(fields) => Ok(fields),
        _ => Err(internal("resolving an object must give an object").into()),
    }
}

async fn store(shared: &Shared, values: Map<String, Value>, skipped: Vec<String>) -> Result<Worked, Wrong> {
    let mut stored = Map::new();
    for (port, value) in values {
        stored.insert(port, shared.blobs.claim_check(value).await?);
    }
    Ok(Worked::Ports { values: stored, skipped })
}

async fn items(shared: &Shared, list: Value) -> Result<Worked, Wrong> {
    match shared.blobs.resolve_one(&list).await? {
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
