//! `millrace validate`: the compile report of a file, without a server.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use millrace_compiler::codes::INVALID_JSON;
use millrace_compiler::{Location, compile, locate, parse_text, warnings};
use millrace_contracts::Fault;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::client::faulty_place;
use crate::commands::run::definition;
use crate::context::{Context, Tone};
use crate::exit::Exit;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  millrace validate flow.json
  millrace validate - < flow.json
  millrace validate flow.json --json | jq '.errors[].pointer'")]
pub(crate) struct Args {
    /// The workflow; `-` for standard input.
    file: PathBuf,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let text = definition::read_text(&args.file)?;
    let file = definition::shown(&args.file);
    let out = context.out;
    let checked = parse_text(&text).and_then(|definition| {
        let plan = compile(&definition)?;
        let doubts = warnings(&plan, &definition);
        Ok((plan, doubts))
    });
    match checked {
        Ok((plan, doubts)) => {
            let (nodes, edges, scopes) = (plan.nodes.len(), plan.edges, plan.scopes.len() - 1);
            if args.json {
                let plan = json!({"nodes": nodes, "edges": edges, "scopes": scopes});
                let doubts: Vec<_> = doubts.iter().map(|doubt| with_place(doubt, &text)).collect();
                out.json(&json!({"valid": true, "plan": plan, "warnings": doubts}))?;
            } else {
                let good = out.paint(Tone::Good, "valid");
                out.line(format_args!("{good}: {nodes} nodes, {edges} edges, {scopes} loops"))?;
                let odd = out.paint(Tone::Odd, "warning");
                for doubt in &doubts {
                    let place = beside(doubt, &text);
                    out.line(format_args!("  {file}{place}: {odd}: {}", faulty_place(doubt)))?;
                }
            }
            Ok(Exit::Done)
        }
        Err(faults) if args.json => {
            let errors: Vec<_> = faults.0.iter().map(|fault| with_place(fault, &text)).collect();
            out.json(&json!({"valid": false, "errors": errors}))?;
            Ok(Exit::Failed)
        }
        Err(faults) => {
            let count = faults.0.len();
            let bad =
                out.paint(Tone::Bad, format_args!("{count} fault{}", if count == 1 { "" } else { "s" }));
            out.line(format_args!("{bad} in {file}:"))?;
            for fault in &faults.0 {
                let place = beside(fault, &text);
                out.line(format_args!("  {file}{place}: {}", faulty_place(fault)))?;
            }
            Ok(Exit::Failed)
        }
    }
}

/// Where a fault is, behind the file's name: `file:line:column` is what editors and terminals make a link of.
fn beside(fault: &Fault, text: &str) -> String {
    place_of(fault, text).map(|place| format!(":{place}")).unwrap_or_default()
}

/// Where a fault is. What does not parse has no pointer to it: the parser says how far it came.
fn place_of(fault: &Fault, text: &str) -> Option<Location> {
    if fault.code != INVALID_JSON {
        return locate(text, &fault.pointer);
    }
    let broken = serde_json::from_str::<IgnoredAny>(text).err()?;
    Some(Location { line: broken.line(), column: broken.column().max(1) })
}

/// A fault or a warning with `line` and `column` beside its pointer.
fn with_place(fault: &Fault, text: &str) -> serde_json::Value {
    let mut shown = json!(fault);
    if let Some(place) = place_of(fault, text) {
        shown["line"] = json!(place.line);
        shown["column"] = json!(place.column);
    }
    shown
}
