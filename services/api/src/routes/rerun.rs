//! `POST /executions/{id}/rerun`: a new execution of the same definition and input, which reuses what is before `from`.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use futures::{StreamExt, stream};
use millrace_compiler::did_you_mean;
use millrace_contracts::message::{Accepted, RerunOf};
use millrace_contracts::values::{ImageValue, ValueRef};
use millrace_contracts::{BlobId, ExecutionId, Fault, Faults, NodeId};
use serde_json::{Map, Value, json};

use crate::body;
use crate::fields::cut;
use crate::openapi::described::RerunRequest;
use crate::openapi::runs::{PicturesQuery, StartHeaders, StartQuery, Started};
use crate::params::Params;
use crate::plans::Compiled;
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::submit::{self, Ask, Digest, Ready, RunOptions, Target};
use crate::view;

/// Bytes of the body, which holds a node's id and options.
const MAX_BODY_BYTES: u64 = 256 * 1024;
/// Blobs of the input that are looked for.
const MAX_LOOKED_FOR: usize = 10_000;
/// So many at once.
const LOOKED_FOR_AT_ONCE: usize = 32;

/// What the body asks for.
#[derive(Default)]
struct Wish {
    from: Option<NodeId>,
    options: RunOptions,
    /// The names of the fields that were given.
    given: HashSet<String>,
}

/// Run an execution that has ended once more
///
/// Results of nodes that do not depend on `from` are taken over. The body may be left out.
#[utoipa::path(
    post, path = "/api/v1/executions/{id}/rerun", operation_id = "rerun_execution", tag = "executions",
    params(("id" = ExecutionId, Path), StartQuery, PicturesQuery, StartHeaders),
    request_body = Option<RerunRequest>,
    responses(Started),
)]
pub(crate) async fn rerun(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let earlier = view::parse_id(&id)?;
    let ask = Ask::read(&app, params, &request, &format!("rerun:{earlier}"))?;
    let wish = read(&app, request).await?;
    let ask = ask.about(|| wish.digest());
    if let Some(made) = ask.earlier(&app).await? {
        let (receipt, outcome) = ask.again(&app, made).await?;
        return submit::respond(&receipt, &outcome);
    }
    let status = view::find(&app, earlier).await?.status();
    if !status.is_terminal() {
        let detail = format!("execution {earlier} is {status}; wait for its end, or cancel it first");
        return Err(Problem::new(Code::ExecutionNotEnded, detail));
    }
    let (accepted, labels) = app.store.executions().accepted(earlier).await?;
    let workflow = (accepted.workflow_id, accepted.version);
    let target = Target::recorded(&app, earlier, workflow, accepted.definition).await?;
    check_from(&target.compiled, wish.from.as_ref())?;
    check_blobs(&app, &accepted.input).await?;
    target.compiled.restore(&app.blobs).await?;
    let options = wish.options_over(&accepted, labels);
    ask.admit(&app, &target, &options).await?;
    let rerun_of = Some(RerunOf { execution_id: earlier, from: wish.from });
    ask.submit(&app, Ready { target, input: accepted.input, options, rerun_of }).await
}

impl Wish {
    /// The digest of what is asked for; what is left out is the earlier run's, whatever that is.
    fn digest(&self) -> Digest {
        let mut given: Vec<&String> = self.given.iter().collect();
        given.sort_unstable();
        Digest::default().value("rerun", &json!([self.from, given])).options(&self.options)
    }

    /// What was asked for, and for the rest what the earlier run was asked for.
    fn options_over(&self, accepted: &Accepted, labels: Map<String, Value>) -> RunOptions {
        let given = |name: &str| self.given.contains(name);
        let options = self.options.clone();
        RunOptions {
            priority: if given("priority") { options.priority } else { accepted.priority },
            pool: if given("pool") { options.pool } else { accepted.pool.clone() },
            labels: if given("labels") { options.labels } else { labels },
            timeout_ms: if given("timeout_ms") { options.timeout_ms } else { accepted.timeout_ms },
            callback_url: if given("callback_url") {
                options.callback_url
            } else {
                accepted.callback_url.clone()
            },
        }
    }
}

/// The body, which may be left out.
async fn read(app: &App, request: Request) -> Result<Wish, Problem> {
    let Some(mut fields) = body::object_if_any(app, request, MAX_BODY_BYTES).await? else {
        return Ok(Wish::default());
    };
    let given = fields.keys().cloned().collect();
    let mut faults = Faults::default();
    let from = match fields.shift_remove("from") {
        None | Some(Value::Null) => None,
        Some(Value::String(node)) => Some(NodeId::from(node)),
        Some(other) => {
            let message = format!("`from` is the id of a node, not {}", body::type_name(&other));
            faults.push(Fault::new("INVALID_TYPE", "/from", message));
            None
        }
    };
    if fields.shift_remove("input").is_some() {
        let fault = Fault::new("UNKNOWN_FIELD", "/input", "a rerun has the input of the run it repeats");
        faults.push(fault.hint("start a new run to give it another input"));
    }
    let options = RunOptions::take(&mut fields, &mut faults);
    submit::unknown_fields(&fields, &["from"], &mut faults);
    faults.or(Wish { from, options, given }).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))
}

fn check_from(compiled: &Compiled, from: Option<&NodeId>) -> Result<(), Problem> {
    let Some(from) = from.filter(|from| compiled.plan.find(from).is_none()) else { return Ok(()) };
    let shown = cut(from.as_str());
    let mut fault = Fault::new("UNKNOWN_NODE", "/from", format!("the workflow has no node {shown:?}"));
    fault.hint = did_you_mean(from.as_str(), compiled.plan.nodes.iter().map(|node| node.id.as_str()));
    Err(Problem::fault(Code::InvalidRequest, fault))
}

/// Pictures and large values of the input are still there.
async fn check_blobs(app: &App, input: &Map<String, Value>) -> Result<(), Problem> {
    let mut blobs = Vec::new();
    input.values().for_each(|value| blobs_in(value, &mut blobs));
    blobs.truncate(MAX_LOOKED_FOR);
    let mut looks = stream::iter(blobs)
        .map(|blob| async move { app.blobs.touch(blob).await.map(|found| found.is_none().then_some(blob)) })
        .buffer_unordered(LOOKED_FOR_AT_ONCE);
    while let Some(look) = looks.next().await {
        if let Some(blob) = look? {
            let detail = format!("the blob {blob} of the run's input is gone; start a new run instead");
            return Err(Problem::new(Code::RunDataGone, detail));
        }
    }
    Ok(())
}

fn blobs_in(value: &Value, found: &mut Vec<BlobId>) {
    if let Some(image) = ImageValue::from_value(value) {
        found.push(image.blob);
    } else if let Some(reference) = ValueRef::from_value(value) {
        found.push(reference.blob);
    } else {
        match value {
            Value::Array(items) => items.iter().for_each(|item| blobs_in(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| blobs_in(field, found)),
            _ => {}
        }
    }
}
