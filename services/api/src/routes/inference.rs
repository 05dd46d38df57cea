//! `POST /inference/{task}`: one job without a workflow. It is a run of a definition with one node, on the same way as any
//! other run, so that everything that is true of runs is true of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use millrace_blocks::{Block, Catalogue, Category, Runner, catalogue};
use millrace_contracts::{ExecutionId, Fault, Faults, ItemPath, JobId, NodeId};
use serde_json::{Map, Value, json};

use crate::body::{self, BodyType};
use crate::context::RequestContext;
use crate::middleware::Admission;
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::submit::{self, Asked, RunOptions, Submission, Target, Visit, unknown_fields};

/// The one node that does the work.
const NODE: &str = "inference";
/// The place of its configuration in the definition: what the compiler points at.
const CONFIG: &str = "/workflow/nodes/1/config";
/// Fields of a request beside the run's own options.
const FIELDS: [&str; 4] = ["model_id", "model_source", "image", "config"];

/// Runs one job.
pub(crate) async fn run(
    State(app): State<Arc<App>>,
    Path(task): Path<String>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let block = block_of(catalogue(), &task)?;
    let (context, admission) = (RequestContext::find(&request)?, Admission::find(&request)?);
    let params = params.only(&["wait"])?;
    let wait = params.text("wait").map(|text| submit::parse_wait(text, app.settings.max_wait)).transpose()?;
    let key = submit::idempotency_key(request.headers())?.map(|key| format!("inference:{key}"));
    let mut fields = read(&app, request).await?;
    let mut faults = Faults::default();
    let options = RunOptions::take(&mut fields, &mut faults);
    let definition = definition(block, &mut fields, &mut faults);
    let image = fields.shift_remove("image").filter(|image| !image.is_null());
    if image.is_none() {
        let fault = Fault::new("MISSING_FIELD", "/image", "there is no `image`");
        faults.push(fault.hint("send base64, blob:<sha256>, or a file part named image"));
    }
    // Those that are known have been taken out.
    unknown_fields(&fields, &FIELDS, &mut faults);
    faults.or(()).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))?;
    let target = Target::inline(&app, &definition).await.map_err(at_request)?;
    app.door.admit(&app, Visit { target: &target, options: &options, count: 1, key: key.as_deref() }).await?;
    let input = Map::from_iter([("image".to_owned(), image.unwrap_or_default())]);
    let input = submit::resolve(&app, &target.compiled, input, "").await?;
    let id = ExecutionId::generate();
    let topic = wait.map(|wait| (wait, app.hub.subscribe(id)));
    let trace = *context.trace();
    let submission =
        Submission { id, target, input, options, trace, batch_id: None, rerun_of: None, schedule_id: None };
    let receipt = match key {
        None => submit::accept(&app, submission).await?,
        Some(key) => submit::accept_keyed(&app, submission, key).await?,
    };
    let run = receipt.id;
    let wait = topic.map(|(wait, topic)| (wait, if run == id { topic } else { app.hub.subscribe(run) }));
    with_job(run, submit::respond(&app, receipt, Asked { wait, admission }).await?).await
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
        let task: String = task.chars().take(80).collect();
        Problem::new(
            Code::NotFound,
            format!("there is no inference task {task:?} in this version; there are {}", known.join(", ")),
        )
    })
}

/// The request's fields; files of a form are stored as they arrive.
async fn read(app: &Arc<App>, request: Request) -> Result<Map<String, Value>, Problem> {
    match body::body_type(request.headers()) {
        BodyType::Json => Ok(body::object(app, request, body::max_json(app)).await?.value),
        BodyType::Multipart => read_form(app, request).await,
        BodyType::Other => Err(body::unsupported("application/json or multipart/form-data")),
    }
}

/// `image` as a file; `request` or `config` as JSON; anything else as text.
async fn read_form(app: &Arc<App>, request: Request) -> Result<Map<String, Value>, Problem> {
    let malformed =
        |error| Problem::new(Code::MalformedBody, "the multipart body is not well formed").because(error);
    let multipart = Multipart::from_request(request, app).await;
    let mut multipart = multipart.map_err(|error| {
        Problem::new(Code::MalformedBody, "the multipart body has no boundary").because(error)
    })?;
    let mut fields = Map::new();
    for _ in 0..=FIELDS.len() + 8 {
        let Some(field) = multipart.next_field().await.map_err(malformed)? else { return Ok(fields) };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "image" && field.file_name().is_some() {
            let chunks = stream::unfold(field, |mut field| async {
                let chunk = field.chunk().await.transpose()?;
                Some((chunk, field))
            });
            let id = app.blobs.put_stream(chunks).await?;
            fields.insert(name, json!(format!("blob:{id}")));
            continue;
        }
        // Bounded by the body's own limit, which is that of all requests.
        let text = field.text().await.map_err(malformed)?;
        match name.as_str() {
            "request" => fields.extend(body::into_object(body::parse(text.as_bytes())?, "")?),
            "config" | "labels" => drop(fields.insert(name, body::parse(text.as_bytes())?)),
            _ => drop(fields.insert(name, Value::String(text))),
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

/// The run's answer, with the job's own id and, once it is done, its result.
async fn with_job(run: ExecutionId, response: Response) -> Result<Response, Problem> {
    let (mut parts, answer) = response.into_parts();
    let bytes = axum::body::to_bytes(answer, usize::MAX).await.map_err(Problem::internal)?;
    let mut page: Map<String, Value> = serde_json::from_slice(&bytes).map_err(Problem::internal)?;
    let job = JobId::of(run, &NodeId::from(NODE), &ItemPath::root(), 1);
    page.insert("job_id".to_owned(), json!(job));
    page.insert("execution_id".to_owned(), json!(run));
    if parts.status == StatusCode::OK {
        let result = page.get("outputs").and_then(|outputs| outputs.get("result")).cloned();
        page.insert("result".to_owned(), result.unwrap_or_default());
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut answer = Json(page).into_response();
    parts.headers.extend(std::mem::take(answer.headers_mut()));
    Ok(Response::from_parts(parts, answer.into_body()))
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
