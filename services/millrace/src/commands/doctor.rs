//! `millrace doctor`: checks everything Millrace needs, and says what to do about each fault.

mod blobs;
mod checks;
mod clock;
mod database;

use clap::Args as ClapArgs;
use serde_json::json;

use crate::context::{Context, Tone};
use crate::exit::Exit;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  millrace doctor
  DATABASE_URL=postgres://db/millrace millrace doctor --json

Where no URL is set, it checks that the programs for a private server are there instead.")]
pub(crate) struct Args {
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let loaded = context.load(Vec::new())?;
    let findings = checks::all(&loaded).await;
    let good = findings.iter().all(|finding| finding.result.is_ok());
    if args.json {
        let list: Vec<_> = findings
            .iter()
            .map(|finding| match &finding.result {
                Ok(found) => json!({"check": finding.what, "ok": true, "found": found}),
                Err(fault) => {
                    json!({"check": finding.what, "ok": false, "fault": fault.text, "remedy": fault.remedy})
                }
            })
            .collect();
        context.out.json(&json!({"ok": good, "checks": list}))?;
    } else {
        for finding in &findings {
            let out = context.out;
            match &finding.result {
                Ok(found) => {
                    out.line(format_args!("{} {:<14} {found}", out.paint(Tone::Good, "✓"), finding.what))?
                }
                Err(fault) => {
                    out.line(format_args!(
                        "{} {:<14} {}",
                        out.paint(Tone::Bad, "✗"),
                        finding.what,
                        fault.text
                    ))?;
                    out.line(format_args!("  {:<14} → {}", "", fault.remedy))?;
                }
            }
        }
    }
    Ok(if good { Exit::Done } else { Exit::Failed })
}
