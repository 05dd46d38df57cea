//! The command line as a whole. Each command's own arguments stand in its own file.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    audit, bench, completions, config, doctor, executions, keys, man, migrate, models, queues, role, run,
    schedules, stats, tail, up, validate, workers, workflows,
};

/// Millrace runs visual-AI workflows: DAGs of models, image transforms and logic, every step an event.
#[derive(Debug, Parser)]
#[command(
    name = "millrace",
    version,
    propagate_version = true,
    after_help = "\
Examples:
  millrace up                                     everything on this machine, until Ctrl-C
  millrace run flow.json --input photo=@cat.jpg   submit a run and watch it
  millrace tail                                   every event as it happens

Exit codes: 0 done, 1 failed, 2 misused."
)]
pub(crate) struct Cli {
    /// Configuration file; `millrace.toml` in the working directory, if it is there, when none is named.
    // After what a command has of its own.
    #[arg(long, global = true, value_name = "FILE", display_order = 900)]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run all roles on this machine, with a private Redis and Postgres where no URL is given.
    Up(up::Args),
    /// Run the REST api alone.
    Api(role::ApiArgs),
    /// Run an orchestrator alone.
    #[command(after_help = role::ORCHESTRATOR_HELP)]
    Orchestrator(role::HealthArgs),
    /// Run a worker alone.
    Worker(role::WorkerArgs),
    /// Run a writer alone.
    #[command(after_help = role::WRITER_HELP)]
    Writer(role::HealthArgs),
    /// Bring the database's tables up to date.
    Migrate(migrate::Args),
    /// Run a workflow, of a file or a saved one, watch it node by node, and save its pictures.
    Run(run::Args),
    /// Check a workflow without running it.
    Validate(validate::Args),
    /// Show live events.
    Tail(tail::Args),
    /// List, show, watch, cancel, rerun and delete executions.
    #[command(subcommand)]
    Executions(executions::Args),
    /// List, show, save and delete workflows.
    #[command(subcommand)]
    Workflows(workflows::Args),
    /// List, make, switch on and off, and delete schedules: runs by the clock.
    #[command(subcommand)]
    Schedules(schedules::Args),
    /// List the workers, and have one end in order.
    #[command(subcommand)]
    Workers(workers::Args),
    /// Show who changed what, when, and from where.
    Audit(audit::Args),
    /// Show how many jobs wait, for which pool and model, and for how long.
    Queues(queues::Args),
    /// Show how runs, models and the fleet fared lately, and what they cost.
    Stats(stats::Args),
    /// Make, list and revoke api keys.
    #[command(subcommand)]
    Keys(keys::Args),
    /// List the models, register and delete some, and have one loaded.
    #[command(subcommand)]
    Models(models::Args),
    /// Measure an instance under the built-in load scenarios.
    Bench(bench::Args),
    /// The other side of `bench inference`.
    #[command(hide = true)]
    BenchBareLoop(crate::bench::inference::bare_loop::Args),
    /// Check everything Millrace needs, and say what to do about each fault.
    Doctor(doctor::Args),
    /// Print the completions of a shell.
    Completions(completions::Args),
    /// Print the manual page.
    Man(man::Args),
    /// Print the configuration in force, and where each value comes from.
    Config(config::Args),
}
