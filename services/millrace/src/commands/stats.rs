//! `millrace stats`: how runs, models and the fleet fared lately, and what they cost.

use clap::Args as ClapArgs;
use serde_json::Value;

use crate::client::{Client, ClientArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::render::{Table, duration, field};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  millrace stats\n  millrace stats --window 7d\n  millrace stats --json")]
pub(crate) struct Args {
    /// How far back, from 1m to 31d.
    #[arg(long, value_name = "SPAN", default_value = "1h")]
    window: String,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let query = [("window", args.window.clone())];
    let found = Client::find(&args.client)?.get("/stats", &query).await?;
    if args.client.json {
        context.out.json(&found)?;
        return Ok(Exit::Done);
    }
    context.out.line(runs(&found["totals"], &args.window))?;
    let tables = [
        ("errors", table(&found["errors"], &["kind", "runs", "jobs"])),
        ("models", models(&found["models"])),
        ("workflows", table(&found["workflows"], &["workflow", "workflow_id", "runs", "inferences", "cost"])),
        ("fleet", fleet(&found["fleet"])),
    ];
    for (title, table) in tables.into_iter().filter(|(_, table)| !table.is_empty()) {
        context.out.line(format_args!("\n{title}"))?;
        context.out.line(table)?;
    }
    Ok(Exit::Done)
}

/// The two lines that matter most.
fn runs(totals: &Value, window: &str) -> String {
    let count = |name| field(totals, name);
    format!(
        "runs in the last {window}: {} ({} completed, {} failed, {} timed out, {} cancelled, {} unfinished), success {}\n\
         p50 {}, p95 {}, p99 {}; {} jobs, {} from the cache",
        count("runs"),
        count("completed"),
        count("failed"),
        count("timed_out"),
        count("cancelled"),
        count("unfinished"),
        percent(&totals["success_rate"]),
        span(&totals["p50_ms"]),
        span(&totals["p95_ms"]),
        span(&totals["p99_ms"]),
        count("jobs"),
        count("jobs_cached")
    )
}

fn models(rows: &Value) -> Table {
    let mut table =
        Table::new(&["model", "task", "jobs", "failed", "cached", "cold", "p50", "p95", "batch", "cost"]);
    for row in rows.as_array().into_iter().flatten() {
        let [model, task, jobs, failed] = ["model_id", "task", "jobs", "failed"].map(|name| field(row, name));
        let batch = row["mean_batch_size"].as_f64().map(|size| format!("{size:.1}")).unwrap_or_default();
        table.row(vec![
            model,
            task,
            jobs,
            failed,
            percent(&row["cache_hit_rate"]),
            field(row, "cold_starts"),
            span(&row["p50_ms"]),
            span(&row["p95_ms"]),
            batch,
            field(row, "cost"),
        ]);
    }
    table
}

fn fleet(rows: &Value) -> Table {
    let mut table = Table::new(&["pools", "workers", "up", "busy", "gpu hours", "cost", "idle cost"]);
    for row in rows.as_array().into_iter().flatten() {
        let [pools, workers, gpu_hours, cost, idle_cost] =
            ["pools", "workers", "gpu_hours", "cost", "idle_cost"].map(|name| field(row, name));
        let up = row["up_ms"].as_u64().map(duration).unwrap_or_default();
        table.row(vec![pools, workers, up, percent(&row["utilisation"]), gpu_hours, cost, idle_cost]);
    }
    table
}

/// Columns as they are called in the answer.
fn table(rows: &Value, names: &[&'static str]) -> Table {
    let mut table = Table::new(names);
    for row in rows.as_array().into_iter().flatten() {
        table.row(names.iter().map(|name| field(row, name)).collect());
    }
    table
}

fn percent(share: &Value) -> String {
    share.as_f64().map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

fn span(ms: &Value) -> String {
    ms.as_f64().map_or_else(|| "-".to_owned(), |ms| duration(ms.round() as u64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_that_are_not_there_are_dashes() {
        let shown = runs(&json!({"runs": 0, "success_rate": null}), "1h");
        assert!(shown.contains("success -") && shown.contains("p95 -"), "{shown}");
        let shown = runs(&json!({"runs": 3, "success_rate": 2.0 / 3.0, "p95_ms": 1234.4}), "1h");
        assert!(shown.contains("66.7 %"), "{shown}");
    }
}
