//! `millrace tail`: live events, of all runs or of one.

use anyhow::Context as _;
use clap::Args as ClapArgs;
use millrace_contracts::Event;
use serde_json::Value;

use crate::client::{Client, ClientArgs, Message, ResumedStream};
use crate::context::{Context, Out, Tone};
use crate::exit::Exit;
use crate::render::node_label;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  millrace tail                           every event of every run
  millrace tail --type 'node.*'           only what nodes do
  millrace tail --execution 0199… --json  one run, as JSON lines

Ends with the run; of all runs, never. A broken connection is taken up again: a run's events go on where they broke off.")]
pub(crate) struct Args {
    /// Only this run, from its beginning.
    #[arg(long, value_name = "ID")]
    execution: Option<millrace_contracts::ExecutionId>,
    /// Only these types, with * for anything: `node.*,completed`.
    #[arg(long = "type", value_name = "GLOB")]
    types: Option<String>,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let client = Client::find(&args.client)?;
    let mut query: Vec<_> = args.types.map(|types| ("types", types)).into_iter().collect();
    let path = match args.execution {
        Some(run) => {
            query.push(("from", "0".to_owned()));
            format!("/executions/{run}/events")
        }
        None => "/events".to_owned(),
    };
    let stream = ResumedStream::new(&client, path, query);
    let interrupted = tokio::signal::ctrl_c();
    tokio::select! {
        ended = follow(stream, args.client.json, context.out) => ended,
        _ = interrupted => Ok(Exit::Done),
    }
}

/// Shows events until the run has ended; those of all runs for ever. A run's stream goes on where it broke off. That of all runs
/// has no place to go on from: what happens while there is no connection is not shown, and a line says so.
async fn follow(mut stream: ResumedStream<'_>, json: bool, out: Out) -> anyhow::Result<Exit> {
    stream.connect().await?;
    loop {
        match stream.next().await.context("the stream broke off")? {
            Some(message) if message.event == "end" => return Ok(Exit::Done),
            Some(message) => show(&message, json, out)?,
            None if json => {}
            None => out.line(out.paint(Tone::Faint, "-- the connection broke off"))?,
        }
    }
}

fn show(message: &Message, json: bool, out: Out) -> anyhow::Result<()> {
    if json {
        return match serde_json::from_str::<Value>(&message.data) {
            Ok(value) => out.json_line(&value),
            Err(_) => Ok(()),
        };
    }
    let Ok(event) = serde_json::from_str::<Event>(&message.data) else {
        return out.line(out.paint(Tone::Faint, format_args!("-- {}", message.event)));
    };
    let time = event.time.to_rfc3339();
    let clock = time.get(11..23).unwrap_or(&time);
    let run = event.execution_id.map(|run| run.to_string()).unwrap_or_default();
    let node = event.node_id.as_ref().map(|node| node_label(node, &event.path.clone().unwrap_or_default()));
    let subject = node.or_else(|| event.subject.clone()).unwrap_or_default();
    let tone = match message.event.rsplit('.').next() {
        Some("completed" | "loaded") => Tone::Good,
        Some("failed" | "lost") => Tone::Bad,
        Some("retrying" | "skipped" | "cancelled") => Tone::Odd,
        _ => Tone::Strong,
    };
    let kind = out.paint(tone, format_args!("{:<20}", message.event));
    out.line(format_args!("{} {kind} {:<36} {subject}", out.paint(Tone::Faint, clock), run))
}
