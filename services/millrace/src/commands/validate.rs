//! `millrace validate`: the compile report of a file, without a server.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::json;

use crate::client::faulty_place;
use crate::commands::run::definition;
use crate::context::{Context, Tone};
use crate::exit::Exit;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  millrace validate flow.json
  millrace validate flow.json --json | jq '.errors[].pointer'")]
pub(crate) struct Args {
    /// The workflow.
    file: PathBuf,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let definition = definition::read(&args.file)?;
    let out = context.out;
    match millrace_compiler::compile(&definition) {
        Ok(plan) => {
            let (nodes, edges, scopes) = (plan.nodes.len(), plan.edges, plan.scopes.len() - 1);
            if args.json {
                out.json(
                    &json!({"valid": true, "plan": {"nodes": nodes, "edges": edges, "scopes": scopes}}),
                )?;
            } else {
                let good = out.paint(Tone::Good, "valid");
                out.line(format_args!("{good}: {nodes} nodes, {edges} edges, {scopes} loops"))?;
            }
            Ok(Exit::Done)
        }
        Err(faults) if args.json => {
            out.json(&json!({"valid": false, "errors": faults}))?;
            Ok(Exit::Failed)
        }
        Err(faults) => {
            let count = faults.0.len();
            let bad =
                out.paint(Tone::Bad, format_args!("{count} fault{}", if count == 1 { "" } else { "s" }));
            out.line(format_args!("{bad} in {}:", args.file.display()))?;
            for fault in &faults.0 {
                out.line(format_args!("  {}", faulty_place(fault)))?;
            }
            Ok(Exit::Failed)
        }
    }
}
