//! Walking a run on: what its steps left, with what the blob store has to do for it. Where that is much, a part is committed and the
//! run goes on behind the messages that came meanwhile: neither the other runs of the lane nor Redis wait for one of them.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use millrace_contracts::UnixMillis;
use millrace_engine::{Effects, Input};

use crate::held::Held;
use crate::role::Shared;
use crate::{OrchestratorError, shell_work};

/// How long a run is walked before what it gave is committed.
const LONGEST: Duration = Duration::from_millis(200);
/// Events after which the rest has to wait for the next commit.
const MOST: usize = 8_192;
/// Pieces of shell work done at once.
const PIECES: usize = 64;

/// Takes the run as far as it goes by itself, or as far as one commit should. What is left then is left to the run, see
/// [`millrace_engine::Execution::is_unfinished`].
///
/// # Errors
/// The blob store is away: the run has to be loaded and stepped again.
pub(crate) async fn walk(
    shared: &Shared,
    held: &mut Held,
    effects: &mut Effects,
    now: UnixMillis,
) -> Result<(), OrchestratorError> {
    let begun = Instant::now();
    loop {
        if held.run.is_unfinished() {
            effects.append(held.run.step(Input::Continue, now));
        } else if !effects.shell.is_empty() {
            let pieces = effects.shell.drain(..effects.shell.len().min(PIECES));
            let pieces = pieces.map(|work| shell_work::perform(shared, &held.run, work));
            for input in try_join_all(pieces.collect::<Vec<_>>()).await? {
                effects.append(held.run.step(input, now));
            }
        } else {
            return Ok(());
        }
        // Looked at afterwards, so that every commit brings the run on.
        if begun.elapsed() >= LONGEST || effects.durable.len() + effects.live.len() >= MOST {
            break;
        }
        tokio::task::yield_now().await;
    }
    held.run.take_back(std::mem::take(&mut effects.shell));
    Ok(())
}
