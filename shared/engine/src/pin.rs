//! One copy of a model per run: the first result says which; later jobs ask for it, and a result of another copy, made by a
//! job that was out before anybody knew, is not used.

use millrace_contracts::{ErrorKind, JobError, ModelDigest, ModelId};

use crate::execution::Execution;

impl Execution {
    /// Notes the copy of the model that made a result.
    ///
    /// # Errors
    /// The run works with another one: the attempt is void, and the next asks for the right copy.
    pub(crate) fn pin_model(
        &mut self,
        model: Option<&ModelId>,
        used: Option<&ModelDigest>,
    ) -> Result<(), JobError> {
        let (Some(model), Some(used)) = (model, used) else { return Ok(()) };
        match self.meta.models.get(model) {
            Some(pinned) if pinned != used => {
                let message = format!(
                    "the worker used another copy of the model {model} than the run does; trying again with the run's"
                );
                // A fault of the fleet's that another attempt cures: at least one follows, whatever the policy.
                Err(JobError::new(ErrorKind::ModelLoadError, message))
            }
            Some(_) => Ok(()),
            None => {
                self.meta.models.insert(model.clone(), used.clone());
                Ok(())
            }
        }
    }
}
