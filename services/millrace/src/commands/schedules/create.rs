//! `millrace schedules create`: when a workflow is run, with what, and how; how, by the flags of `millrace run`.

use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use millrace_contracts::WorkflowId;
use serde_json::{Map, Value, json};

use super::list;
use crate::client::{Client, ClientArgs};
use crate::commands::run::options::{Options, millis, span};
use crate::context::Out;
use crate::exit::Misuse;

/// What a firing does while an earlier run goes on.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Overlap {
    /// Nothing.
    Skip,
    /// It waits; at most one does.
    Queue,
    /// It starts a run all the same.
    Allow,
}

#[derive(Debug, ClapArgs)]
// Its --version is the workflow's.
#[command(
    disable_version_flag = true,
    after_help = "\
Examples:
  millrace schedules create 0199b5a2-… '0 6 * * MON-FRI' --timezone Europe/Berlin
  millrace schedules create 0199b5a2-… @hourly --overlap queue --input '{\"photo\": \"blob:…\"}'
  millrace schedules create 0199b5a2-… @daily --label team=vision --priority low --timeout 30m --jitter 5m"
)]
pub(crate) struct Args {
    /// The workflow.
    workflow: WorkflowId,
    /// `minute hour day month weekday`, with seconds in front if need be, or @hourly, @daily, …
    cron: String,
    /// IANA name of the time zone.
    #[arg(long, default_value = "UTC")]
    timezone: String,
    /// What a firing does while an earlier run goes on.
    #[arg(long, value_enum, default_value = "skip")]
    overlap: Overlap,
    /// Let each firing wait for a while by chance, at most so long, such as 30s.
    #[arg(long, value_name = "DURATION", value_parser = span)]
    jitter: Option<Duration>,
    /// Let it rest at first, until `millrace schedules enable`.
    #[arg(long)]
    disabled: bool,
    /// The runs' input, as JSON.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    input: String,
    /// The workflow's version; the newest at each firing when none.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
    #[command(flatten, next_help_heading = "Each run")]
    options: Options,
    #[command(flatten)]
    client: ClientArgs,
}

/// Makes the schedule, and shows it.
pub(super) async fn create(args: Args, out: Out) -> anyhow::Result<()> {
    let path = format!("/workflows/{}/schedules", args.workflow);
    let body = Value::Object(args.fields()?);
    let made = Client::find(&args.client)?.post_json(&path, &body).await?;
    if args.client.json { out.json(&made) } else { list(&json!([made]), out) }
}

impl Args {
    /// The fields of the request.
    fn fields(&self) -> Result<Map<String, Value>, Misuse> {
        let input: Map<String, Value> = serde_json::from_str(&self.input)
            .map_err(|error| Misuse(format!("--input is a JSON object: {error}")))?;
        let mut fields = self.options.fields()?;
        let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        set("cron", json!(self.cron));
        set("timezone", json!(self.timezone));
        set("overlap", json!(self.overlap.to_possible_value().map(|value| value.get_name().to_owned())));
        set("input", Value::Object(input));
        // What is left out stays the server's to say.
        if let Some(version) = self.version {
            set("version", json!(version));
        }
        if let Some(jitter) = self.jitter {
            set("jitter_ms", json!(millis(jitter)));
        }
        if self.disabled {
            set("enabled", json!(false));
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    const WORKFLOW: &str = "01990000-0000-7000-8000-00000000000a";

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn read(words: &[&str]) -> Result<Value, String> {
        let words = [&["create", WORKFLOW, "@daily"], words].concat();
        let line = Line::try_parse_from(words).map_err(|fault| fault.to_string())?;
        line.args.fields().map(Value::Object).map_err(|fault| fault.to_string())
    }

    #[test]
    fn every_field_of_a_schedule_has_its_flag() {
        let least = json!({"cron": "@daily", "timezone": "UTC", "overlap": "skip", "input": {}});
        assert_eq!(read(&[]).unwrap(), least);
        let all = [
            "--timezone",
            "Europe/Berlin",
            "--overlap",
            "queue",
            "--jitter",
            "5m",
            "--disabled",
            "--input",
            r#"{"min": 0.5}"#,
            "--version",
            "3",
            "--label",
            "team=vision",
            "--priority",
            "low",
            "--pool",
            "heavy",
            "--timeout",
            "90s",
            "--callback-url",
            "https://example.com/done",
        ];
        let expected = json!({"cron": "@daily", "timezone": "Europe/Berlin", "overlap": "queue", "jitter_ms": 300_000,
            "enabled": false, "input": {"min": 0.5}, "version": 3, "labels": {"team": "vision"}, "priority": "low",
            "pool": "heavy", "timeout_ms": 90_000, "callback_url": "https://example.com/done"});
        assert_eq!(read(&all).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_words() {
        for (words, why) in [
            (&["--input", "[]"][..], "--input is a JSON object"),
            (&["--version", "0"], "0 is not in 1.."),
            (&["--jitter", "30"], "not a duration"),
            (&["--label", "a=1", "--label", "a=2"], "--label a: given twice"),
            (&["--idempotency-key", "k"], "unexpected argument"),
        ] {
            let said = read(words).unwrap_err();
            assert!(said.contains(why), "{words:?}: {said}");
        }
    }
}
