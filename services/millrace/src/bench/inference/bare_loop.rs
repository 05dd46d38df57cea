//! The bare loop: decode, prepare, run, read, on threads that share nothing, in a process of its own. It speaks JSON by
//! lines, and ends when its input does.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args as ClapArgs;
use millrace_contracts::ModelId;
use millrace_inference::{Bare, Repository};
use millrace_vision::{Limits, decode};
use serde::{Deserialize, Serialize};

use crate::bench::cpu::{Cpu, resident_bytes};

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[arg(long)]
    library: PathBuf,
    #[arg(long)]
    models: PathBuf,
    #[arg(long)]
    model: String,
    #[arg(long)]
    picture: PathBuf,
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// What it says once its sessions are open.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Open {
    /// Resident memory that each session added, bytes.
    pub(crate) session_bytes: u64,
}

/// What it says of one turn.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) seconds: f64,
    pub(crate) cpu_ms: f64,
    /// Of every picture.
    pub(crate) microseconds: Vec<u64>,
    pub(crate) resident_bytes: u64,
}

/// A turn: one line of so many milliseconds each.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let picture = std::fs::read(&args.picture).context("the picture")?;
    let before = resident_bytes("self");
    let (id, repository) = (ModelId::from(args.model.as_str()), Repository::new(&args.models));
    let open = |_| {
        let mut bare = Bare::open(&args.library, &repository, &id)?;
        bare.run(&decode(&picture, &Limits::default())?)?;
        anyhow::Ok(bare)
    };
    let mut sessions = (0..args.threads).map(open).collect::<anyhow::Result<Vec<Bare>>>()?;
    let added = resident_bytes("self").saturating_sub(before);
    say(&Open { session_bytes: added / args.threads.max(1) as u64 })?;
    for line in std::io::stdin().lock().lines() {
        let time = Duration::from_millis(line?.trim().parse().context("a turn is a number of milliseconds")?);
        say(&turn(&mut sessions, &picture, time)?)?;
    }
    Ok(())
}

fn turn(sessions: &mut [Bare], picture: &[u8], time: Duration) -> anyhow::Result<Turn> {
    let (begun, cpu) = (Instant::now(), Cpu::own_ms());
    let work = |session: &mut Bare| {
        let mut took = Vec::new();
        while begun.elapsed() < time {
            let one = Instant::now();
            session.run(&decode(picture, &Limits::default())?)?;
            took.push(u64::try_from(one.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
        anyhow::Ok(took)
    };
    let took: anyhow::Result<Vec<Vec<u64>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = sessions.iter_mut().map(|session| scope.spawn(|| work(session))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread of the bare loop panicked")))
        };
        threads.into_iter().map(join).collect()
    });
    Ok(Turn {
        seconds: begun.elapsed().as_secs_f64(),
        cpu_ms: Cpu::own_ms() - cpu,
        microseconds: took?.concat(),
        resident_bytes: resident_bytes("self"),
    })
}

fn say(what: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(what)?)?;
    Ok(out.flush()?)
}
