//! A job's rows through its model, with the time it took and what came of the batch.

use std::sync::Arc;

use millrace_contracts::{ErrorKind, JobError};
use millrace_inference::{InferenceError, Inferred, Model, Part, Pending, Rows, Tensor};
use millrace_turns::Turn;

use super::{JobContext, Stage, panicked};
use crate::cpu::timed;
use crate::error::of_inference;

/// So many numbers are read where they are: handing them to a thread and back takes longer than reading them, and they would wait
/// there behind the pictures of others.
const FEW: usize = 4096;

/// Rows that a thread had ready.
pub(crate) enum Begun {
    Pending(Pending),
    /// There was no room for them.
    Refused(Rows),
}

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

    /// For a thread that has the rows ready: puts them in the queue of one of the model's graphs at once, where there is room.
    pub(crate) fn begin(
        &self,
        model: &Arc<Model>,
        part: Part,
    ) -> impl FnOnce(Vec<Tensor>) -> Begun + Send + use<> {
        let (model, turn, lone) = (Arc::clone(model), Turn::of(&self.job), self.is_lone());
        move |inputs| match model.begin(part, Rows::new(turn, lone, inputs)) {
            Ok(pending) => Begun::Pending(pending),
            Err(rows) => Begun::Refused(rows),
        }
    }

    /// What came of rows that another thread put in the queue of the model's graph; those that found no room there are put there
    /// when there is.
    pub(crate) async fn begun(
        &self,
        (model, part): (&Model, Part),
        begun: Begun,
    ) -> Result<Inferred, JobError> {
        let ran = match begun {
            Begun::Pending(pending) => pending.inferred().await,
            Begun::Refused(rows) => model.infer_part(part, rows).await,
        };
        self.inferred(model, ran)
    }

    /// What `work` makes of what a model gave, on the clock as postprocessing: of a few numbers at once, of more on the CPU pool.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        inferred: Inferred,
        work: impl FnOnce(&[Tensor]) -> T + Send + 'static,
    ) -> Result<T, JobError> {
        let outputs = inferred.outputs;
        if outputs.iter().map(Tensor::len).sum::<usize>() > FEW {
            return self.cpu(Stage::Postprocess, move || work(&outputs)).await;
        }
        let (made, took) = timed(|| work(&outputs)).map_err(|panic| panicked(&panic))?;
        self.clock.add(Stage::Postprocess, took);
        Ok(made)
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
