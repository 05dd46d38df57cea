//! What one submitted run goes through, whatever it is a run of: what the request asks for beside its body, the door, and,
//! once the input is resolved, acceptance and the answer.

use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use millrace_contracts::ExecutionId;
use millrace_contracts::message::RerunOf;
use millrace_telemetry::Traceparent;
use serde_json::{Map, Value};

use super::accept::{Receipt, Submission, accept, accept_keyed};
use super::door::Visit;
use super::key::idempotency_key;
use super::options::RunOptions;
use super::outcome::{Asked, Outcome, outcome, respond};
use super::target::Target;
use super::wait;
use crate::context::RequestContext;
use crate::middleware::Admission;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;

/// What a request for one run says beside its body.
#[derive(Debug)]
pub(crate) struct Ask {
    trace: Traceparent,
    admission: Admission,
    wait: Option<Duration>,
    /// The idempotency key as it is recorded.
    key: Option<String>,
}

/// A run, ready to be accepted.
#[derive(Debug)]
pub(crate) struct Ready {
    /// What is run.
    pub(crate) target: Target,
    /// The input, resolved.
    pub(crate) input: Map<String, Value>,
    /// How it is to be run.
    pub(crate) options: RunOptions,
    /// The run that it repeats.
    pub(crate) rerun_of: Option<RerunOf>,
}

impl Ask {
    /// Reads `?wait=`, `Idempotency-Key` and the trace of `request`; keys of other kinds of requests do not meet its own.
    pub(crate) fn read(app: &App, params: Params, request: &Request, kind: &str) -> Result<Self, Problem> {
        let params = params.only(&["wait"])?;
        let wait = params.text("wait").map(|text| wait::parse(text, app.settings.max_wait)).transpose()?;
        let key = idempotency_key(request, kind)?;
        let trace = *RequestContext::find(request)?.trace();
        Ok(Self { trace, admission: Admission::find(request)?, wait, key })
    }

    /// What the api itself asks for, to answer `request`: no key, and so much patience.
    pub(crate) fn of_our_own(request: &Request, patience: Duration) -> Result<Self, Problem> {
        let trace = *RequestContext::find(request)?.trace();
        Ok(Self { trace, admission: Admission::find(request)?, wait: Some(patience), key: None })
    }

    /// Asks at the door, before anything of the run is stored.
    pub(crate) async fn admit(
        &self,
        app: &App,
        target: &Target,
        options: &RunOptions,
    ) -> Result<(), Problem> {
        app.door.admit(app, Visit { target, options, count: 1, key: self.key.as_deref() }).await
    }

    /// Accepts the run, and waits for its end if asked to.
    pub(crate) async fn accept(self, app: &App, run: Ready) -> Result<(Receipt, Outcome), Problem> {
        let id = ExecutionId::generate();
        // Before the run can begin, so that nothing of it is missed.
        let topic = self.wait.map(|wait| (wait, app.hub.subscribe(id)));
        let responses = run.target.compiled.plan.responses().cloned().collect();
        let submission = Submission {
            id,
            target: run.target,
            input: run.input,
            options: run.options,
            trace: self.trace,
            batch_id: None,
            schedule_id: None,
            rerun_of: run.rerun_of,
        };
        let receipt = match self.key {
            None => accept(app, submission).await?,
            Some(key) => accept_keyed(app, submission, key).await?,
        };
        // A request sent again waits for the run it made the first time.
        let wait = topic.map(|(wait, topic)| {
            (wait, if receipt.id == id { topic } else { app.hub.subscribe(receipt.id) })
        });
        let outcome = outcome(app, &receipt, Asked { wait, admission: self.admission, responses }).await;
        Ok((receipt, outcome))
    }

    /// The same, answered.
    pub(crate) async fn submit(self, app: &App, run: Ready) -> Result<Response, Problem> {
        let (receipt, outcome) = self.accept(app, run).await?;
        respond(&receipt, &outcome)
    }
}
