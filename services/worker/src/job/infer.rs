//! A job's rows through its model, with the time it took and what came of the batch.

use millrace_contracts::{ErrorKind, JobError};
use millrace_inference::{InferenceError, Inferred, Model, Part, Rows, Tensor};
use millrace_turns::Turn;

use super::{JobContext, Stage};
use crate::error::of_inference;

impl JobContext {
    /// Runs `inputs` on the model's main graph, batched with others that wait. Every block with a model runs it here:
    /// this is where the report learns of the batch, and where a model that is beyond use is given up.
    pub(crate) async fn infer(&self, model: &Model, inputs: Vec<Tensor>) -> Result<Inferred, JobError> {
        self.inferred(model, model.infer(self.rows(inputs)).await)
    }

    /// As [`JobContext::infer`], on one of its other graphs.
    pub(crate) async fn infer_part(
        &self,
        model: &Model,
        part: Part,
        inputs: Vec<Tensor>,
    ) -> Result<Inferred, JobError> {
        self.inferred(model, model.infer_part(part, self.rows(inputs)).await)
    }

    /// `inputs`, at the turn of the job's flow.
    pub(crate) fn rows(&self, inputs: Vec<Tensor>) -> Rows {
        Rows::new(Turn::of(&self.job), self.is_lone(), inputs)
    }

    /// Takes what a run gave.
    pub(crate) fn inferred(
        &self,
        model: &Model,
        ran: Result<Inferred, InferenceError>,
    ) -> Result<Inferred, JobError> {
        let inferred = ran.map_err(|error| {
            self.shared.device_loss.note(&error);
            // A model without threads is beyond use: the next attempt loads it afresh, unless others have by now.
            if matches!(error, InferenceError::SessionLost { .. }) {
                self.shared.models.give_up_on(model);
            }
            if error.kind() == ErrorKind::OutOfMemory {
                metrics::counter!("millrace_worker_out_of_memory_total").increment(1);
            }
            of_inference(&error)
        })?;
        let batch = inferred.batch;
        self.clock.add(Stage::BatchWait, batch.waited);
        self.clock.add(Stage::Inference, batch.took);
        self.clock.batch_rows(batch.rows);
        metrics::histogram!("millrace_worker_batch_rows").record(batch.rows as f64);
        metrics::counter!("millrace_worker_batched_requests_total", "closed" => batch.closed.as_str())
            .increment(1);
        Ok(inferred)
    }
}
