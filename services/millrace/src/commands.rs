//! One file per command.

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod executions;
pub(crate) mod keys;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod models;
pub(crate) mod queues;
pub(crate) mod role;
pub(crate) mod run;
pub(crate) mod schedules;
pub(crate) mod stats;
pub(crate) mod tail;
pub(crate) mod up;
pub(crate) mod validate;
pub(crate) mod workers;
pub(crate) mod workflows;

use crate::cli::Command;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command that was asked for.
pub(crate) async fn dispatch(command: Command, context: &Context) -> anyhow::Result<Exit> {
    // Boxed: the roles' futures are large, and this one holds each of them.
    match command {
        Command::Up(args) => Box::pin(up::run(args, context)).await,
        Command::Api(args) => Box::pin(role::api(args, context)).await,
        Command::Orchestrator(args) => Box::pin(role::orchestrator(args, context)).await,
        Command::Worker(args) => Box::pin(role::worker(args, context)).await,
        Command::Writer(args) => Box::pin(role::writer(args, context)).await,
        Command::Migrate(args) => migrate::run(args, context).await,
        Command::Run(args) => Box::pin(run::run(args, context)).await,
        Command::Validate(args) => validate::run(&args, context),
        Command::Tail(args) => Box::pin(tail::run(args, context)).await,
        Command::Executions(args) => executions::run(args, context).await,
        Command::Workflows(args) => workflows::run(args, context).await,
        Command::Schedules(args) => schedules::run(args, context).await,
        Command::Workers(args) => workers::run(args, context).await,
        Command::Audit(args) => audit::run(args, context).await,
        Command::Queues(args) => queues::run(args, context).await,
        Command::Stats(args) => stats::run(args, context).await,
        Command::Keys(args) => keys::run(args, context).await,
        Command::Models(args) => models::run(args, context).await,
        Command::Bench(args) => Box::pin(bench::run(args, context)).await,
        Command::BenchBareLoop(args) => crate::bench::inference::bare_loop::run(&args).map(|()| Exit::Done),
        Command::Doctor(args) => Box::pin(doctor::run(args, context)).await,
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => man::run(&args, context),
        Command::Config(args) => config::run(&args, context),
    }
}
