//! `POST /inference/{task}`: one job without a workflow. It is a run of a definition with one node, on the same way as any
//! other run, so that everything that is true of runs is true of it.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use millrace_blocks::{Block, Catalogue, Category, Runner, catalogue};
use millrace_contracts::{Fault, Faults, ItemPath, JobId, NodeId};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::body::{self, BodyType, Held, Memory};
use crate::fields::{self, cut};
use crate::form;
use crate::openapi::described::{InferenceForm, InferenceRequest};
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::submit::{
    self, Ask, Digest, Outcome, Ready, Receipt, RunAccepted, RunOptions, Target, unknown_fields,
};
use crate::view::Execution;

/// The one node that does the work.
const NODE: &str = "inference";
/// The place of its configuration in the definition: what the compiler points at.
const CONFIG: &str = "/workflow/nodes/1/config";
/// Fields of a request beside the run's own options.
const FIELDS: [&str; 4] = ["model_id", "model_source", "image", "config"];

/// An inference that was accepted, and goes on.
#[derive(Debug, Serialize, ToSchema)]
struct InferenceAccepted {
    job_id: JobId,
    #[serde(flatten)]
    run: RunAccepted,
}

/// An inference that has ended.
#[derive(Debug, Serialize, ToSchema)]
struct InferenceEnded {
    job_id: JobId,
    /// The block's output ports; none when it failed.
    result: Option<Value>,
    #[serde(flatten)]
    run: Execution,
}

/// Run one job without a workflow
///
/// A file of a form is named `image`. With `wait` the answer is held until the job ends.
#[utoipa::path(
    post, path = "/api/v1/inference/{task}", operation_id = "run_inference", tag = "inference",
    params(("task" = String, Path, description = "A model block: `detection`, `classification`, `embedding`, `segmentation`.", example = "detection"), ("wait" = Option<String>, Query, description = "Such as `30s`: how long to hold the answer.", example = "30s"), ("Idempotency-Key" = Option<String>, Header, description = "The same key answers with the same run, for 24 hours.")),
    request_body(content((InferenceRequest = "application/json"), (InferenceForm = "multipart/form-data"))),
    responses((status = 202, description = "Accepted; it goes on.", body = InferenceAccepted, headers(("Location" = String, description = "The execution."), ("Idempotency-Replayed" = Option<String>, description = "`true` where an earlier request with the same key made it."))), (status = 200, description = "It has ended.", body = InferenceEnded, headers(("Location" = String, description = "The execution."), ("Idempotency-Replayed" = Option<String>, description = "`true` where an earlier request with the same key made it.")))),
)]
pub(crate) async fn run(
    State(app): State<Arc<App>>,
    Path(task): Path<String>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let block = block_of(catalogue(), &task)?;
    let ask = Ask::read(&app, params, &request, "inference")?;
    let Held { value: mut fields, memory } = read(&app, request).await?;
    let mut faults = Faults::default();
    let options = RunOptions::take(&mut fields, &mut faults);
    let definition = definition(block, &mut fields, &mut faults);
    let image = fields::take(&mut fields, "image");
    if image.is_none() {
        let fault = Fault::new("MISSING_FIELD", "/image", "there is no `image`");
        faults.push(fault.hint("send base64, blob:<sha256>, or a file part named image"));
    }
    // Those that are known have been taken out.
    unknown_fields(&fields, &FIELDS, &mut faults);
    faults.or(()).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))?;
    let input = Map::from_iter([("image".to_owned(), image.unwrap_or_default())]);
    let asked = || Digest::default().value("workflow", &definition).fields("input", &input).options(&options);
    let ask = ask.about(asked);
    if let Some(earlier) = ask.earlier(&app).await? {
        return respond(ask.again(&app, earlier).await?);
    }
    let target = Target::inline(&app, &definition).await.map_err(at_request)?;
    ask.admit(&app, &target, &options).await?;
    let input = submit::resolve(&app, &target.compiled, input, "").await?;
    drop(memory);
    respond(ask.accept(&app, Ready { target, input, options, rerun_of: None }).await?)
}

fn respond((receipt, outcome): (Receipt, Outcome)) -> Result<Response, Problem> {
    let job_id = JobId::of(receipt.id, &NodeId::from(NODE), &ItemPath::root(), 1);
    match outcome {
        Outcome::Accepted(run) => {
            submit::respond_with(&receipt, StatusCode::ACCEPTED, &InferenceAccepted { job_id, run })
        }
        Outcome::Ended(run) => {
            let result = run.output("result").cloned();
            submit::respond_with(&receipt, StatusCode::OK, &InferenceEnded { job_id, result, run: *run })
        }
        // The workflow of one job has no such block.
        Outcome::Answered(status, body) => submit::respond_with(&receipt, status, &body),
    }
}

/// The model block that does `task`.
fn block_of<'a>(catalogue: &'a Catalogue, task: &str) -> Result<&'a Block, Problem> {
    let does = |block: &&Block| {
        block.category == Category::Model
            && matches!(block.runner, Runner::Worker { model: true, .. })
            && block.input("image").is_some()
    };
    catalogue.newest(task).filter(does).ok_or_else(|| {
        let known: Vec<&str> = catalogue.iter().filter(does).map(|block| block.name).collect();
        let task = cut(task);
        Problem::new(
            Code::NotFound,
            format!("there is no inference task {task:?} in this version; there are {}", known.join(", ")),
        )
    })
}

/// The request's fields; files of a form are stored as they arrive.
async fn read(app: &Arc<App>, request: Request) -> Result<Held<Map<String, Value>>, Problem> {
    match body::body_type(request.headers()) {
        BodyType::Json => body::object(app, request, body::max_json(app)).await,
        BodyType::Multipart => read_form(app, request).await,
        BodyType::Other => Err(body::unsupported("application/json or multipart/form-data")),
    }
}

/// `image` as a file; `request` or `config` as JSON; anything else as text.
async fn read_form(app: &Arc<App>, request: Request) -> Result<Held<Map<String, Value>>, Problem> {
    let mut multipart = form::open(app, request).await?;
    let (mut fields, mut memory) = (Map::new(), Memory::new(app.body_memory.clone()));
    for _ in 0..=FIELDS.len() + 8 {
        let Some(field) = multipart.next_field().await.map_err(form::broken)? else {
            return Ok(Held { value: fields, memory: memory.into_permits() });
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "image" && field.file_name().is_some() {
            let id = form::file(app, field).await?;
            fields.insert(name, json!(format!("blob:{id}")));
            continue;
        }
        let text = form::text(app, field, &mut memory).await?;
        match name.as_str() {
            "request" => fields.extend(body::into_object(body::parse(&text)?, "")?),
            "config" | "labels" => drop(fields.insert(name, body::parse(&text)?)),
            _ => drop(fields.insert(name, json!(String::from_utf8_lossy(&text)))),
        }
    }
    Err(Problem::new(Code::InvalidRequest, "the form has more parts than the request has fields"))
}

/// A picture, the block on it, and everything it gives.
fn definition(block: &Block, fields: &mut Map<String, Value>, faults: &mut Faults) -> Value {
    let mut config = match fields.shift_remove("config") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(config)) => config,
        Some(other) => {
            let message =
                format!("`config` is an object of the block's settings, not {}", body::type_name(&other));
            faults.push(Fault::new("INVALID_TYPE", "/config", message));
            Map::new()
        }
    };
    for name in ["model_id", "model_source"] {
        if let Some(value) = fields.shift_remove(name) {
            config.insert(name.to_owned(), value);
        }
    }
    let outputs = block.outputs.declared.iter();
    let outputs: Map<String, Value> =
        outputs.map(|port| (port.name.to_string(), json!(format!("$nodes.{NODE}.{}", port.name)))).collect();
    json!({"name": format!("inference/{}", block.name), "nodes": [
        {"id": "image", "type": "image_input"},
        {"id": NODE, "type": block.versioned(), "inputs": {"image": "$inputs.image"}, "config": config},
        {"id": "result", "type": "json_output", "inputs": outputs},
    ]})
}

/// Mistakes that the compiler found in the definition, where they stand in the request.
fn at_request(problem: Problem) -> Problem {
    let faults = problem.errors().iter().cloned().map(|mut fault| {
        if let Some(rest) = fault.pointer.strip_prefix(CONFIG) {
            let beside = ["/model_id", "/model_source"].contains(&rest);
            fault.pointer = if beside { rest.to_owned() } else { format!("/config{rest}") };
        }
        fault
    });
    let faults: Vec<Fault> = faults.collect();
    if faults.is_empty() { problem } else { Problem::faults(Code::InvalidRequest, Faults(faults)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_a_model_block_that_takes_a_picture() {
        assert_eq!(block_of(catalogue(), "detection").unwrap().name, "detection");
        for unknown in ["crop", "teleport", "json_output", ""] {
            let problem = block_of(catalogue(), unknown).unwrap_err();
            assert_eq!(problem.code(), Code::NotFound, "{unknown}");
        }
    }

    #[tokio::test]
    async fn the_definition_compiles_and_mistakes_point_into_the_request() {
        let block = block_of(catalogue(), "detection").unwrap();
        let make = |fields: Value| {
            let mut fields = fields.as_object().cloned().unwrap_or_default();
            definition(block, &mut fields, &mut Faults::default())
        };
        let good = make(json!({"model_id": "m", "config": {"confidence": 0.5}}));
        assert!(millrace_compiler::compile(&good).is_ok());
        let plans = crate::plans::Plans::new();
        for (fields, pointer) in [
            (json!({"model_id": "m", "config": {"confidence": 7}}), "/config/confidence"),
            (json!({"model_id": 7}), "/model_id"),
        ] {
            let faults = plans.compile(&make(fields)).await.unwrap_err();
            let problem = at_request(crate::plans::invalid(faults, "/workflow"));
            assert_eq!(problem.errors()[0].pointer, pointer);
        }
    }
}
