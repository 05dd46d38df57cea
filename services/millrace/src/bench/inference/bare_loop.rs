//! The bare loop: read the file, decode, prepare, run, read the scores, on threads that share nothing, in a process of its own. It
//! goes over the same files as the other ways. It speaks JSON by lines, and ends when its input does.

use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args as ClapArgs;
use millrace_contracts::ModelId;
use millrace_inference::{Bare, Repository};
use millrace_vision::{Limits, decode};
use serde::{Deserialize, Serialize};

use crate::bench::cpu::{Cpu, resident_bytes};

/// How a JPEG file begins: the start-of-image marker, and the first byte of the next (ITU-T T.81, annex B).
const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[arg(long)]
    library: PathBuf,
    #[arg(long)]
    models: PathBuf,
    #[arg(long)]
    model: String,
    /// A folder with JPEG files, in folders.
    #[arg(long)]
    pictures: PathBuf,
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
    let mut pictures = Vec::new();
    collect(&args.pictures, &mut pictures).context("the pictures")?;
    let first = pictures.first().context("there are no pictures")?;
    let before = resident_bytes("self");
    let (id, repository) = (ModelId::from(args.model.as_str()), Repository::new(&args.models));
    let open = |_| {
        let mut bare = Bare::open(&args.library, &repository, &id)?;
        look(&mut bare, first)?;
        anyhow::Ok(bare)
    };
    let mut sessions = (0..args.threads).map(open).collect::<anyhow::Result<Vec<Bare>>>()?;
    let added = resident_bytes("self").saturating_sub(before);
    say(&Open { session_bytes: added / args.threads.max(1) as u64 })?;
    for line in std::io::stdin().lock().lines() {
        let time = Duration::from_millis(line?.trim().parse().context("a turn is a number of milliseconds")?);
        say(&turn(&mut sessions, &pictures, time)?)?;
    }
    Ok(())
}

fn look(session: &mut Bare, picture: &Path) -> anyhow::Result<usize> {
    Ok(session.run(&decode(&std::fs::read(picture)?, &Limits::default())?)?)
}

/// The JPEG files in `folder` and in the folders below it.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let mut start = [0; JPEG.len()];
        if path.is_dir() {
            collect(&path, found)?;
        } else if std::fs::File::open(&path)?.read_exact(&mut start).is_ok() && start == JPEG {
            found.push(path);
        }
    }
    Ok(())
}

fn turn(sessions: &mut [Bare], pictures: &[PathBuf], time: Duration) -> anyhow::Result<Turn> {
    let (begun, cpu) = (Instant::now(), Cpu::own_ms());
    // Each takes the next one, whoever asks for it.
    let next = AtomicUsize::new(0);
    let work = |session: &mut Bare| {
        let mut took = Vec::new();
        while begun.elapsed() < time {
            let one = Instant::now();
            look(session, &pictures[next.fetch_add(1, Ordering::Relaxed) % pictures.len()])?;
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
