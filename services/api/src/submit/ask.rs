//! What one submitted run goes through, whatever it is a run of: what the request asks for beside its body, the door, and,
//! once the input is resolved, acceptance and the answer.

use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use millrace_contracts::message::RerunOf;
use millrace_contracts::{BlobId, ExecutionId, NodeId};
use millrace_telemetry::Traceparent;
use serde_json::{Map, Value};

use super::accept::{Receipt, Submission, accept, accept_keyed};
use super::again::{Earlier, Keyed};
use super::digest::Digest;
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
use crate::view::Pictures;

/// What a request for one run says beside its body.
#[derive(Debug)]
pub(crate) struct Ask {
    trace: Traceparent,
    admission: Admission,
    wait: Option<Duration>,
    pictures: Pictures,
    /// The idempotency key as it is recorded.
    key: Option<String>,
    /// The digest of what is asked for, where there is a key.
    digest: Option<BlobId>,
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
    /// Reads `?wait=`, `?images=`, `Idempotency-Key` and the trace of `request`; keys of other kinds of requests do not meet its own.
    pub(crate) fn read(app: &App, params: Params, request: &Request, kind: &str) -> Result<Self, Problem> {
        let params = params.only(&["wait", "images"])?;
        let wait = params.text("wait").map(|text| wait::parse(text, app.settings.max_wait)).transpose()?;
        let pictures = Pictures::read(&params)?;
        let key = idempotency_key(request, kind)?;
        let trace = *RequestContext::find(request)?.trace();
        Ok(Self { trace, admission: Admission::find(request)?, wait, pictures, key, digest: None })
    }

    /// What the api itself asks for, to answer `request`: no key, and so much patience.
    pub(crate) fn of_our_own(request: &Request, patience: Duration) -> Result<Self, Problem> {
        let trace = *RequestContext::find(request)?.trace();
        Ok(Self {
            trace,
            admission: Admission::find(request)?,
            wait: Some(patience),
            pictures: Pictures::Links,
            key: None,
            digest: None,
        })
    }

    /// The run that the same key made before.
    pub(crate) async fn earlier(&self, app: &App) -> Result<Option<Earlier>, Problem> {
        match &self.key {
            Some(key) => Earlier::find(app, key).await,
            None => Ok(None),
        }
    }

    /// Notes what is asked for, where that matters.
    pub(crate) fn about(mut self, digest: impl FnOnce() -> Digest) -> Self {
        self.digest = self.key.is_some().then(|| digest().finish());
        self
    }

    /// Asks at the door, before anything of the run is stored.
    pub(crate) async fn admit(
        &self,
        app: &App,
        target: &Target,
        options: &RunOptions,
    ) -> Result<(), Problem> {
        app.door.admit(app, Visit { target, options, count: 1 }).await
    }

    /// Accepts the run, and waits for its end if asked to.
    pub(crate) async fn accept(self, app: &App, run: Ready) -> Result<(Receipt, Outcome), Problem> {
        let id = ExecutionId::generate();
        // Before the run can begin, so that nothing of it is missed.
        let topic = self.wait.map(|wait| (wait, app.hub.subscribe(id)));
        let responses = responses_of(&run.target);
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
        let receipt = match self.key.zip(self.digest) {
            None => accept(app, submission).await?,
            Some((key, digest)) => accept_keyed(app, submission, &Keyed { key, digest }).await?,
        };
        // A request sent again waits for the run it made the first time.
        let wait = topic.map(|(wait, topic)| {
            (wait, if receipt.id == id { topic } else { app.hub.subscribe(receipt.id) })
        });
        let asked = Asked { wait, admission: self.admission, responses, pictures: self.pictures };
        let outcome = outcome(app, &receipt, asked).await;
        Ok((receipt, outcome))
    }

    /// Answers with the run that the request made when it was sent before, and waits for its end if asked to.
    pub(crate) async fn again(self, app: &App, earlier: Earlier) -> Result<(Receipt, Outcome), Problem> {
        let responses = responses_of(earlier.target());
        let digest = self.digest.expect("what was sent before has a key, and so a digest");
        let receipt = earlier.receipt(digest, &self.trace)?;
        let wait = self.wait.map(|wait| (wait, app.hub.subscribe(receipt.id)));
        let asked = Asked { wait, admission: self.admission, responses, pictures: self.pictures };
        let outcome = outcome(app, &receipt, asked).await;
        Ok((receipt, outcome))
    }

    /// The same, answered.
    pub(crate) async fn submit(self, app: &App, run: Ready) -> Result<Response, Problem> {
        let (receipt, outcome) = self.accept(app, run).await?;
        respond(&receipt, &outcome)
    }
}

/// The nodes that may answer for a run.
fn responses_of(target: &Target) -> Vec<NodeId> {
    target.compiled.plan.responses().cloned().collect()
}
