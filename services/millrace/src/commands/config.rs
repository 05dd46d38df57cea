//! `millrace config`: what is in force and where each value came from. Passwords show as stars.

use clap::Args as ClapArgs;
use serde_json::{Value, json};

use crate::context::{Context, Tone};
use crate::exit::Exit;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  millrace config                               what is in force, and from where
  MILLRACE__WORKER__CONCURRENCY=32 millrace config | grep concurrency
  millrace config --default > millrace.toml     every setting with its meaning and default")]
pub(crate) struct Args {
    /// JSON for programs.
    #[arg(long)]
    json: bool,
    /// Print the commented file of defaults instead.
    #[arg(long)]
    default: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let out = context.out;
    if args.default {
        out.line(millrace_config::DEFAULT_FILE.trim_end())?;
        return Ok(Exit::Done);
    }
    let loaded = context.load(Vec::new())?;
    let tree = serde_json::to_value(&loaded.settings)?;
    let mut report = serde_json::Map::new();
    let mut section = String::new();
    for (section_name, name, value) in fields(&tree) {
        let key = format!("{section_name}.{name}");
        let origin = loaded.origins.get(&key).map(ToString::to_string).unwrap_or_default();
        if args.json {
            report.insert(key, json!({"value": value, "origin": origin}));
            continue;
        }
        if section != section_name {
            let gap = if section.is_empty() { "" } else { "\n" };
            out.line(format_args!("{gap}{}", out.paint(Tone::Strong, format_args!("[{section_name}]"))))?;
            section_name.clone_into(&mut section);
        }
        let shown = if value.is_null() { "(none)".to_owned() } else { value.to_string() };
        let origin = if loaded.is_set(&key) { format!("  # {origin}") } else { String::new() };
        out.line(format_args!("{name} = {shown}{}", out.paint(Tone::Faint, origin)))?;
    }
    if args.json {
        out.json(&json!({"settings": report, "warnings": loaded.warnings}))?;
    } else {
        for warning in &loaded.warnings {
            out.line(out.paint(Tone::Odd, format_args!("\nwarning: {warning}")))?;
        }
    }
    Ok(Exit::Done)
}

fn fields(tree: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    tree.as_object().into_iter().flatten().flat_map(|(section, fields)| {
        fields.as_object().into_iter().flatten().map(|(name, value)| (section.as_str(), name.as_str(), value))
    })
}
