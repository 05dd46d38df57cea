//! `aggregation`: of one run by itself, or of many by a window in Redis. What a run adds to a window it adds once, however
//! often its job is begun.

mod samples;
mod summary;

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::outputs::aggregation::{Config, Interval};
use millrace_bus::{BusError, Contribution, MAX_WINDOW_BYTES, WindowSize, WindowState};
use millrace_contracts::{ErrorKind, JobError};
use serde_json::Value;

use self::samples::Sample;
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    aggregate(context).boxed()
}

async fn aggregate(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let (inputs, chosen) = (context.inputs.clone(), config.clone());
    let samples = context.cpu(Stage::Preprocess, move || samples::of(&inputs, &chosen)).await??;
    let samples = match config.interval {
        None => Some(samples),
        Some(interval) => add(context, &config, interval, samples).await?,
    };
    let result = match samples {
        None => Value::Null,
        Some(samples) => {
            context.cpu(Stage::Postprocess, move || summary::of(&samples, &config)).await??.into()
        }
    };
    Ok(Outputs::from_iter([("result".to_owned(), result)]))
}

/// Adds to the window; gives its samples when it closed.
async fn add(
    context: &JobContext,
    config: &Config,
    interval: Interval,
    samples: Vec<Sample>,
) -> Result<Option<Vec<Sample>>, JobError> {
    let job = &context.job;
    // What a path would take from another is no concern: a node's own window is the same for all items of its loops.
    let window = match (&config.window, job.workflow_id) {
        (Some(name), _) => format!("name/{name}"),
        (None, Some(workflow)) => format!("node/{workflow}/{}", job.node_id),
        (None, None) => {
            let message = "a workflow that is not saved has no window of its own; give it a name";
            return Err(JobError::new(ErrorKind::InvalidConfig, message).at("/config/window"));
        }
    };
    let size = match interval {
        Interval { runs: Some(runs), .. } => WindowSize::Contributions(runs),
        Interval { seconds, .. } => WindowSize::Span(Duration::from_secs(seconds.unwrap_or(1).into())),
    };
    let values = samples.iter().map(Sample::to_text).collect::<Vec<_>>();
    // Without the attempt: another one adds nothing.
    let contributor = format!("{}/{}{}", job.execution_id, job.node_id, job.path);
    let contribution =
        Contribution { window: &window, size, contributor: &contributor, at: job.queued_at, values: &values };
    let added = context.clock.time(Stage::Upload, context.shared.bus.add_to_window(&contribution)).await;
    match added.map_err(|error| of_bus(&error))? {
        WindowState::Open => Ok(None),
        WindowState::Closed(values) => {
            Ok(Some(values.iter().filter_map(|text| Sample::from_text(text)).collect()))
        }
        WindowState::Full => {
            let message = format!(
                "the window would have more than {MAX_WINDOW_BYTES} bytes of values; choose a shorter interval, or a `field`"
            );
            Err(JobError::new(ErrorKind::InvalidInput, message).at("/config/interval"))
        }
    }
}

fn of_bus(error: &BusError) -> JobError {
    let kind = if error.is_retryable() { ErrorKind::Network } else { ErrorKind::Internal };
    JobError::new(kind, error.to_string())
}
