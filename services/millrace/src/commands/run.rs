//! `millrace run`: submits a workflow, follows it by its event stream, and saves its pictures.

pub(crate) mod definition;
mod doubt;
mod follow;
mod input;
pub(crate) mod options;
pub(crate) mod pictures;
mod source;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args as ClapArgs;
use millrace_contracts::values::ValueRef;
use millrace_contracts::{ExecutionId, ExecutionStatus};
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};

use self::follow::Follower;
use self::input::Input;
use self::options::Options;
use self::source::Source;
use crate::client::{Client, ClientArgs, Started};
use crate::context::{Context, Out, Tone};
use crate::exit::Exit;
use crate::progress::{Bars, counted};
use crate::render::{detection_tables, duration, output_lines, tone_of};

#[derive(Debug, ClapArgs)]
// Its --version is the workflow's.
#[command(
    disable_version_flag = true,
    after_help = "\
Examples:
  millrace run flow.json --input photo=@cat.jpg
  millrace run flow.json --input photo=@cat.jpg --input min=0.6 --out results
  millrace run 0199b5a2-… --version 3 --input photo=@cat.jpg --label team=vision
  millrace run flow.json --input photo=@cat.jpg --json | jq .outputs
  ID=$(millrace run flow.json --input photo=@cat.jpg --detach --json | jq -r .execution_id)
  curl -s https://example.com/flow.json | millrace run - --input photo=@cat.jpg

A file of that name is run where there is one, else the saved workflow with that id (`millrace workflows list` shows the ids).
A value after `name=` is JSON where it parses as JSON, and text otherwise; `name=@file` sends the file, and several files of one
name are a list.
Exit code 0 when the run completed, 1 when it failed, was cancelled or timed out; with --detach, 0 when it was accepted. Ctrl-C
ends the command alone, with exit code 130: the run goes on.
With an --idempotency-key that started a run before, that run is taken: standard error says so, and --json has \"replayed\": true."
)]
pub(crate) struct Args {
    /// The workflow: a file with its JSON, `-` for standard input, or the id of a saved one.
    #[arg(value_name = "FILE|ID")]
    workflow: PathBuf,
    /// Which version of the saved workflow; the newest when none.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
    /// An input of the workflow; may be given many times.
    #[arg(long, value_name = "NAME=VALUE|NAME=@FILE")]
    input: Vec<Input>,
    /// Save the pictures among the outputs in this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Do not watch it: print the execution's id as soon as the run is accepted.
    #[arg(long, conflicts_with = "out")]
    detach: bool,
    #[command(flatten)]
    options: Options,
    /// Start no second run where this key started one before, such as when a script tries again; that one is taken instead.
    #[arg(long, value_name = "KEY", value_parser = options::key)]
    idempotency_key: Option<String>,
    #[command(flatten)]
    client: ClientArgs,
}

/// A run to follow.
pub(crate) struct Watched<'a> {
    pub(crate) id: ExecutionId,
    /// Where its pictures are saved.
    pub(crate) dir: Option<&'a Path>,
    /// Whether it was asked for anew, by a key that had started it before.
    pub(crate) replayed: bool,
}

/// How a run ended.
struct Ended {
    status: ExecutionStatus,
    outputs: Value,
    error: Value,
    duration_ms: Option<u64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let source = Source::find(&args.workflow, args.version)?;
    let client = Client::find(&args.client)?;
    if let Some(dir) = &args.out {
        // Before anything runs: a result that has no place to go is lost.
        pictures::make_room(dir)?;
    }
    let quiet = args.client.json;
    let path = source.path();
    let form = parts(request(source, &args)?, &args.input, Bars::new(quiet)).await?;
    let started = client.start(&path, form, args.idempotency_key.as_deref()).await;
    let Started { mut answer, replayed } =
        started.map_err(|fault| input::ask_for_forgotten(fault, &args.input))?;
    let id = answer["execution_id"].as_str().context("the api's answer holds no execution_id")?;
    let id: ExecutionId = id.parse()?;
    if replayed {
        // Not on stdout: that may be read by a program.
        writeln!(std::io::stderr(), "no run was started: the key had started execution {id} before")?;
        answer["replayed"] = json!(true);
    }
    if quiet && args.detach {
        context.out.json(&answer)?;
    } else if !quiet {
        context.out.line(format_args!("execution {id}"))?;
    }
    if !args.detach {
        let run = Watched { id, dir: args.out.as_deref(), replayed };
        return follow(&client, run, (quiet, context)).await;
    }
    if !quiet {
        writeln!(std::io::stderr(), "{}", ways(&client, id))?;
    }
    Ok(Exit::Done)
}

/// What can be done with a run that nobody watches.
fn ways(client: &Client, id: ExecutionId) -> String {
    let flag = client.flag();
    format!(
        "  watch it:   millrace executions follow {id}{flag}\n  cancel it:  millrace executions cancel {id}{flag}"
    )
}

/// Follows an execution to its end, saves its pictures, and tells how it ended: by lines, or when `quiet` as JSON.
/// Ctrl-C ends this alone, and the execution goes on.
pub(crate) async fn follow(
    client: &Client,
    run: Watched<'_>,
    (quiet, context): (bool, &Context),
) -> anyhow::Result<Exit> {
    let id = run.id;
    // Of one listener from here on: what came between two would be lost.
    let mut interrupts = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let follower = Follower::new(client, id, context.out, (quiet, Bars::new(quiet)));
    let ended = tokio::select! {
        biased;
        ended = follower.follow() => ended?,
        _ = interrupts.recv() => {
            return left(format_args!("the run goes on without this command\n{}", ways(client, id)));
        }
    };
    tokio::select! {
        biased;
        exit = finish(client, run, ended, (quiet, context)) => exit,
        _ = interrupts.recv() => left(format_args!(
            "the run has ended; its outputs may not all be here: millrace executions follow {id}{}", client.flag()
        )),
    }
}

/// Says to whom pressed Ctrl-C how things stand. Not on stdout: that may be read by a program.
fn left(how: std::fmt::Arguments<'_>) -> anyhow::Result<Exit> {
    writeln!(std::io::stderr(), "{how}")?;
    Ok(Exit::Interrupted)
}

/// Fetches what the end of an execution only names, saves its pictures, and tells how it ended.
async fn finish(
    client: &Client,
    Watched { id, dir, replayed }: Watched<'_>,
    mut ended: Ended,
    (quiet, context): (bool, &Context),
) -> anyhow::Result<Exit> {
    // Events name large values by reference; the run's page holds them whole.
    if !ValueRef::all_in(&ended.outputs).is_empty() {
        ended.outputs = client.get(&format!("/executions/{id}"), &[]).await?["outputs"].take();
    }
    let files = match dir {
        Some(dir) => pictures::save(client, &ended.outputs, dir, Bars::new(quiet)).await?,
        None => Vec::new(),
    };
    if quiet {
        let mut told = json!({
            "execution_id": id, "status": ended.status, "duration_ms": ended.duration_ms,
            "outputs": ended.outputs, "error": ended.error, "files": files,
        });
        if replayed {
            told["replayed"] = json!(true);
        }
        context.out.json(&told)?;
    } else {
        show(&ended, &files, context.out)?;
    }
    Ok(if ended.status == ExecutionStatus::Completed { Exit::Done } else { Exit::Failed })
}

/// The request, but for its files.
fn request(source: Source, args: &Args) -> anyhow::Result<Map<String, Value>> {
    let mut request = args.options.fields()?;
    request.insert("input".to_owned(), Value::Object(input::values(&args.input)?));
    if let Source::Definition(definition) = source {
        request.insert("workflow".to_owned(), definition);
    }
    Ok(request)
}

/// The request as a part, and a file part named after each input that is a file.
async fn parts(request: Map<String, Value>, inputs: &[Input], bars: Bars) -> anyhow::Result<Form> {
    // First, because the server reads the parts as they come and needs to know the inputs' kinds.
    let part = Part::text(Value::Object(request).to_string()).mime_str("application/json")?;
    let mut form = Form::new().part("request", part);
    for input in inputs {
        let Some(path) = input.file() else { continue };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        form = form.part(input.name.clone(), file(path, bars).await?.file_name(name));
    }
    Ok(form)
}

/// A file as a part, with a bar that moves as it is sent.
async fn file(path: &Path, bars: Bars) -> anyhow::Result<Part> {
    let bytes = tokio::fs::read(path).await.with_context(|| format!("cannot read {}", path.display()))?;
    let length = bytes.len() as u64;
    let bar = bars.bytes(&path.display().to_string(), length);
    Ok(Part::stream_with_length(Body::wrap_stream(counted(bytes.into(), bar)), length))
}

fn show(ended: &Ended, files: &[String], out: Out) -> anyhow::Result<()> {
    for (number, line) in output_lines(&ended.outputs).iter().enumerate() {
        out.line(format_args!("{}{line}", if number == 0 { "\n" } else { "" }))?;
    }
    for (place, table) in detection_tables(&ended.outputs) {
        out.line(format_args!("\n{}", out.paint(Tone::Strong, place)))?;
        out.line(table)?;
    }
    for (number, file) in files.iter().enumerate() {
        out.line(format_args!("{}wrote {file}", if number == 0 { "\n" } else { "" }))?;
    }
    let took = ended.duration_ms.map(|millis| format!(" in {}", duration(millis))).unwrap_or_default();
    let status = out.paint(tone_of(ended.status.as_str()), ended.status);
    out.line(format_args!("\n{status}{took}"))?;
    if let Some(message) = ended.error["message"].as_str() {
        let kind = ended.error["kind"].as_str().unwrap_or_default();
        let node = ended.error["node"].as_str().map(|node| format!(" at node {node}")).unwrap_or_default();
        out.line(format_args!("{kind}{node}: {message}"))?;
    }
    Ok(())
}
