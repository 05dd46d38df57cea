//! Work the engine cannot do because it needs the blob store: resolving references, storing large results.

use millrace_blobs::BlobsError;
use millrace_compiler::logic::Call;
use millrace_compiler::plan::Action;
use millrace_contracts::{ErrorKind, JobError};
use millrace_engine::{Execution, Input, ShellWork, ShellWorkKind, Worked};
use serde_json::{Map, Value};

use crate::role::Shared;

/// Does one piece of work and gives the engine's next input. What fails, fails the node, with its reason.
pub(crate) async fn perform(shared: &Shared, run: &Execution, work: ShellWork) -> Input {
    let ShellWork { key, kind } = work;
    let result = match kind {
        ShellWorkKind::Evaluate { inputs, config } => {
            let node = run.plan().node(key.node);
            match &node.action {
                Action::Logic(logic) => evaluate(shared, logic, inputs, config).await,
                _ => Err(JobError::new(ErrorKind::Internal, "only logic blocks are evaluated here")),
            }
        }
        ShellWorkKind::Store { values, skipped } => store(shared, values, skipped).await,
        ShellWorkKind::Items { list } => items(shared, list).await,
    };
    Input::Worked { key, result }
}

async fn evaluate(
    shared: &Shared,
    logic: &millrace_compiler::logic::Logic,
    inputs: Map<String, Value>,
    config: Map<String, Value>,
) -> Result<Worked, JobError> {
    let inputs = resolve(shared, inputs).await?;
    let config = resolve(shared, config).await?;
    let ports = logic.evaluate(&Call { inputs: &inputs, config: &config })?;
    store(shared, ports.values, ports.skipped).await
}

async fn resolve(shared: &Shared, fields: Map<String, Value>) -> Result<Map<String, Value>, JobError> {
    match shared.blobs.resolve(&Value::Object(fields)).await.map_err(|error| failure(&error))? {
        Value::Object(fields) => Ok(fields),
        _ => Err(JobError::new(ErrorKind::Internal, "resolving an object must give an object")),
    }
}

async fn store(
    shared: &Shared,
    values: Map<String, Value>,
    skipped: Vec<String>,
) -> Result<Worked, JobError> {
    let mut stored = Map::new();
    for (port, value) in values {
        stored.insert(port, shared.blobs.claim_check(value).await.map_err(|error| failure(&error))?);
    }
    Ok(Worked::Ports { values: stored, skipped })
}

async fn items(shared: &Shared, list: Value) -> Result<Worked, JobError> {
    match shared.blobs.resolve_one(&list).await.map_err(|error| failure(&error))? {
        Value::Array(items) => Ok(Worked::Items { items, stored: list }),
        _ => {
            Err(JobError::new(ErrorKind::InvalidInput, "for_each walks a list and was given something else")
                .at("/inputs/items"))
        }
    }
}

fn failure(error: &BlobsError) -> JobError {
    JobError::new(ErrorKind::Internal, format!("a stored value could not be read or written: {error}"))
}
