//! `POST /inference/{task}`: one job without a workflow. It is a run of a definition with one node, on the same way as any
//! other run, so that everything that is true of runs is true of it.

use std::sync::Arc;

use axum::extract::{Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use millrace_blocks::{Block, Catalogue, Category, Runner, catalogue};
use millrace_contracts::fault::pointer_token;
use millrace_contracts::{ExecutionId, Fault, Faults, ItemPath, JobError, JobId, NodeId, UnixMillis};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::body::{self, BodyType, Held, Memory};
use crate::fields::{self, cut};
use crate::form;
use crate::openapi::described::{InferenceForm, InferenceRequest};
use crate::openapi::runs::{PicturesQuery, StartHeaders, StartQuery};
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::submit::{
    self, Ask, Digest, Outcome, Ready, Receipt, RunAccepted, RunOptions, Target, unknown_fields,
};
use crate::view::{AskedJob, Execution};

/// The one node that does the work.
const NODE: &str = "inference";
/// Its place in the definition: what the compiler points into.
const PLACE: &str = "/workflow/nodes/0";
/// Fields of a request that say how, beside the run's own options.
const SETTINGS: [&str; 3] = ["model_id", "model_source", "config"];
/// Fields of a request that say with what: the input ports of blocks of these names, and how a run is given what they take.
const GIVEN: [(&str, &str, Option<&str>); 3] = [
    ("image", "image_input", None),
    ("text", "parameter_input", Some("string")),
    ("tensors", "parameter_input", Some("any")),
];

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
/// What the job works on stands in `image`; `embedding` takes a `text` instead, and `tensor` takes `tensors`. A file of a form is
/// named `image`. With `wait` the answer is held until the job ends.
#[utoipa::path(
    post, path = "/api/v1/inference/{task}", operation_id = "run_inference", tag = "inference",
    params(("task" = String, Path, description = "A model block: `detection`, `classification`, `embedding`, `segmentation`, `tensor`.", example = "detection"), StartQuery, PicturesQuery, StartHeaders),
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
    let input = given(block, &mut fields, &mut faults);
    let definition = definition(block, &input, &mut fields, &mut faults);
    // Those that are known have been taken out.
    let known: Vec<&str> = SETTINGS.into_iter().chain(ports_of(block).map(|(name, ..)| name)).collect();
    unknown_fields(&fields, &known, &mut faults);
    faults.or(()).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))?;
    // Of what was sent: what the definition adds to it may be another in the next version.
    let settings = &definition["nodes"][0]["config"];
    let asked = || {
        let asked = Digest::default().value("task", &json!(block.name)).value("config", settings);
        asked.fields("input", &input).options(&options)
    };
    let ask = ask.about(asked);
    if let Some(earlier) = ask.earlier(&app).await? {
        return respond(ask.again(&app, earlier).await?);
    }
    let target = Target::inline(&app, &definition).await.map_err(at_request)?;
    ask.admit(&app, &target, &options).await?;
    let input = submit::resolve(&app, &target.compiled, input, "").await?;
    drop(memory);
    let job = asked_job(&target, block, &options);
    let accepted = ask.accept(&app, Ready { target, input, options, rerun_of: None }).await?;
    let run = accepted.0.id;
    if let Some(job) = job {
        let goes_on = matches!(accepted.1, Outcome::Accepted(_));
        AskedJob { execution_id: run, ..job }.note(&app, job_of(run), goes_on).await;
    }
    respond(accepted)
}

/// The job of a run: its only node's first.
fn job_of(run: ExecutionId) -> JobId {
    JobId::of(run, &NodeId::from(NODE), &ItemPath::root(), 1)
}

/// The job as it is asked for, before it is known which run it is of.
fn asked_job(target: &Target, block: &Block, options: &RunOptions) -> Option<AskedJob> {
    let (plan, definition) = (&target.compiled.plan, &target.compiled.definition);
    let usual = &plan.node(plan.find(&NODE.into())?).policy.pool;
    let setting = |name: &str| definition.pointer(&format!("/nodes/0/config/{name}")).and_then(Value::as_str);
    Some(AskedJob {
        execution_id: ExecutionId::generate(),
        node_id: NODE.into(),
        task: block.versioned(),
        model_id: setting("model_id").map(Into::into),
        model_source: Some(setting("model_source").unwrap_or("pretrained").to_owned()),
        pool: options.pool.as_ref().unwrap_or(usual).clone(),
        at: UnixMillis::now(),
    })
}

fn respond((receipt, outcome): (Receipt, Outcome)) -> Result<Response, Problem> {
    let job_id = job_of(receipt.id);
    match outcome {
        Outcome::Accepted(run) => {
            submit::respond_with(&receipt, StatusCode::ACCEPTED, &InferenceAccepted { job_id, run })
        }
        Outcome::Ended(mut run) => {
            let own = |error: &&mut JobError| error.node.as_ref().is_some_and(|node| node.as_str() == NODE);
            if let Some(error) = run.error_mut().filter(own) {
                error.pointer = error.pointer.take().map(|pointer| place_in_request(&pointer));
            }
            let result = run.output("result").cloned();
            submit::respond_with(&receipt, StatusCode::OK, &InferenceEnded { job_id, result, run: *run })
        }
        // The workflow of one job has no such block.
        Outcome::Answered(status, body) => submit::respond_with(&receipt, status, &body),
    }
}

/// What a request can give `block` to work on.
fn ports_of(block: &Block) -> impl Iterator<Item = (&'static str, &'static str, Option<&'static str>)> {
    GIVEN.into_iter().filter(|(name, ..)| block.input(name).is_some())
}

/// What the job is to work on, by port. Whether that is enough is the block's to say, but for what it cannot do without.
fn given(block: &Block, fields: &mut Map<String, Value>, faults: &mut Faults) -> Map<String, Value> {
    let mut input = Map::new();
    for (name, ..) in ports_of(block) {
        if let Some(value) = fields::take(fields, name) {
            input.insert(name.to_owned(), value);
        } else if block.input(name).is_some_and(|port| port.required) {
            let fault = Fault::new("MISSING_FIELD", format!("/{name}"), format!("there is no `{name}`"));
            faults.push(fault.hint("send base64, blob:<sha256>, or a file part named image"));
        }
    }
    input
}

/// The model block that does `task`.
fn block_of<'a>(catalogue: &'a Catalogue, task: &str) -> Result<&'a Block, Problem> {
    let does = |block: &&Block| {
        block.category == Category::Model
            && matches!(block.runner, Runner::Worker { model: true, .. })
            && ports_of(block).next().is_some()
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
        BodyType::Multipart => form::read(app, request, |parts| read_form(app, parts)).await,
        BodyType::Other => Err(body::unsupported("application/json or multipart/form-data")),
    }
}

/// `image` as a file; `request` or `config` as JSON; anything else as text.
async fn read_form(app: &App, mut multipart: Multipart) -> Result<Held<Map<String, Value>>, Problem> {
    let (mut fields, mut memory) = (Map::new(), Memory::new(app.body_memory.clone()));
    for _ in 0..=SETTINGS.len() + GIVEN.len() + 8 {
        let Some(field) = multipart.next_field().await.map_err(form::broken)? else {
            return Ok(Held { value: fields, memory: memory.into_permits() });
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "image" && field.file_name().is_some() {
            once(&fields, &name)?;
            let id = form::file(app, field).await?;
            fields.insert(name, json!(format!("blob:{id}")));
            continue;
        }
        let text = form::text(app, field, &mut memory).await?;
        let value = match name.as_str() {
            "request" => {
                for (name, value) in body::into_object(body::parse(&text)?, "")? {
                    once(&fields, &name)?;
                    fields.insert(name, value);
                }
                continue;
            }
            "config" | "labels" | "tensors" => body::parse(&text)?,
            // What is no number is told with its place.
            "timeout_ms" => serde_json::from_slice(&text).unwrap_or_else(|_| as_text(&text)),
            _ => as_text(&text),
        };
        once(&fields, &name)?;
        fields.insert(name, value);
    }
    Err(Problem::new(Code::InvalidRequest, "the form has more parts than the request has fields"))
}

fn as_text(text: &[u8]) -> Value {
    json!(String::from_utf8_lossy(text))
}

/// Refuses a second part of one name: whichever were taken, the other would be dropped without a word.
fn once(fields: &Map<String, Value>, name: &str) -> Result<(), Problem> {
    if !fields.contains_key(name) {
        return Ok(());
    }
    let place = format!("/{}", pointer_token(&cut(name)));
    let fault = Fault::new("INVALID_VALUE", place, format!("`{}` comes more than once", cut(name)));
    let fault = fault.hint("send it once; several pictures take several requests, or a workflow");
    Err(Problem::fault(Code::InvalidRequest, fault))
}

/// The block on what it is `given`, and everything it gives.
fn definition(
    block: &Block,
    given: &Map<String, Value>,
    fields: &mut Map<String, Value>,
    faults: &mut Faults,
) -> Value {
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
    let inputs: Map<String, Value> =
        given.keys().map(|name| (name.clone(), json!(format!("$inputs.{name}")))).collect();
    let mut nodes = vec![json!({"id": NODE, "type": block.versioned(), "inputs": inputs, "config": config})];
    for (name, input, kind) in ports_of(block).filter(|(name, ..)| given.contains_key(*name)) {
        let mut node = json!({"id": name, "type": input});
        if let Some(kind) = kind {
            node["config"] = json!({"kind": kind});
        }
        nodes.push(node);
    }
    nodes.push(json!({"id": "result", "type": "json_output", "inputs": outputs}));
    json!({"name": format!("inference/{}", block.name), "nodes": nodes})
}

/// Mistakes that the compiler found in the definition, where they stand in the request.
fn at_request(problem: Problem) -> Problem {
    let faults = problem.errors().iter().cloned().map(|mut fault| {
        if let Some(place) = fault.pointer.strip_prefix(PLACE) {
            fault.pointer = place_in_request(place);
        }
        fault
    });
    let faults: Vec<Fault> = faults.collect();
    if faults.is_empty() { problem } else { Problem::faults(Code::InvalidRequest, Faults(faults)) }
}

/// Where the request says what stands at `place` of the node.
fn place_in_request(place: &str) -> String {
    let beside = |place: &&str| ["/model_id", "/model_source"].contains(place);
    let place = place
        .strip_prefix("/config")
        .filter(beside)
        .or_else(|| place.strip_prefix("/inputs"))
        .unwrap_or(place);
    place.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_a_model_block_that_takes_a_picture() {
        assert_eq!(block_of(catalogue(), "detection").unwrap().name, "detection");
        for unknown in ["crop", "teleport", "json_output", "similarity_search", ""] {
            let problem = block_of(catalogue(), unknown).unwrap_err();
            assert_eq!(problem.code(), Code::NotFound, "{unknown}");
        }
    }

    #[tokio::test]
    async fn the_definition_compiles_and_mistakes_point_into_the_request() {
        let block = block_of(catalogue(), "detection").unwrap();
        let make = |fields: Value| made(block, &fields);
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
        assert_eq!(place_in_request("/inputs/image"), "/image");
    }

    /// The definition of a request that has what `block` cannot do without.
    fn made(block: &Block, fields: &Value) -> Value {
        let (mut fields, mut faults) = (fields.as_object().cloned().unwrap_or_default(), Faults::default());
        if block.input("image").is_some_and(|port| port.required) {
            fields.insert("image".to_owned(), json!("blob"));
        }
        let input = given(block, &mut fields, &mut faults);
        let definition = definition(block, &input, &mut fields, &mut faults);
        assert!(faults.is_empty() && fields.is_empty(), "{faults:?} {fields:?}");
        definition
    }

    #[test]
    fn a_job_is_given_what_its_block_takes() {
        let compiles = |task: &str, fields: Value| {
            let compiled = millrace_compiler::compile(&made(block_of(catalogue(), task).unwrap(), &fields));
            compiled.map(drop).map_err(|faults| place_in_request(&faults.0[0].pointer["/nodes/0".len()..]))
        };
        assert_eq!(compiles("embedding", json!({"model_id": "m", "image": "blob"})), Ok(()));
        assert_eq!(compiles("embedding", json!({"model_id": "m", "text": "a cat"})), Ok(()));
        assert_eq!(compiles("embedding", json!({"model_id": "m", "config": {"text": "a cat"}})), Ok(()));
        let both = compiles("embedding", json!({"model_id": "m", "image": "blob", "text": "a cat"}));
        assert_eq!(both, Err("/text".to_owned()));
        assert_eq!(compiles("embedding", json!({"model_id": "m"})), Err("/image".to_owned()));
        assert_eq!(compiles("tensor", json!({"model_id": "m", "tensors": {"x": [1, 2]}})), Ok(()));
        assert_eq!(compiles("tensor", json!({"model_id": "m", "image": "blob"})), Ok(()));
    }
}
