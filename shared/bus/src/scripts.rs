//! The Lua scripts, one idea per file, after the parts they have in common. Each validates first and writes last, for Redis
//! does not roll back; the keys of each share a hash tag, also those that a script names itself, by what waits.

use std::sync::LazyLock;

use redis::{Cmd, Script};

/// A script and its digest.
pub(crate) struct LuaScript {
    text: &'static str,
    digest: LazyLock<String>,
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($file:literal)+),+ $(,)?) => {
        $($(#[$doc])*
        pub(crate) static $name: LuaScript = {
            const TEXT: &str = concat!($(include_str!(concat!("../scripts/", $file))),+);
            LuaScript { text: TEXT, digest: LazyLock::new(|| Script::new(TEXT).get_hash().to_owned()) }
        };)+

        static ALL: &[&LuaScript] = &[$(&$name),+];
    };
}

scripts!(
    /// Appends to streams and publishes, together.
    APPEND = "append.lua",
    /// Commits one step of one run by compare-and-set.
    COMMIT = "part/finished.lua" "commit.lua",
    /// Moves due timers into the inbox.
    FIRE_TIMERS = "fire_timers.lua",
    /// Takes or renews a lease.
    LEASE = "lease.lua",
    /// Gives a lease back.
    RELEASE = "release.lua",
    /// Notes that a replica is alive, and tells which are.
    HEARTBEAT = "heartbeat.lua",
    /// Says that the copy of the registry of models is whole.
    MODELS_WHOLE = "models_whole.lua",
    /// Tells which entry of a stream comes next.
    FIRST_UNREAD = "first_unread.lua",
    /// Acknowledges entries and removes them.
    ACK = "ack.lua",
    /// Acknowledges and removes the entries that a consumer still holds.
    ACK_OWN = "ack_own.lua",
    /// Takes over what other consumers left, with delivery counts.
    CLAIM = "claim.lua",
    /// Sets an entry aside with the reason.
    BURY = "bury.lua",
    /// Puts an entry that was set aside back.
    REDO = "redo.lua",
    /// Notes that queues are in use and announces new ones.
    REGISTER_QUEUES = "register_queues.lua",
    /// Puts jobs of one flow into one queue.
    ENQUEUE_JOBS = "part/turns.lua" "part/waiting.lua" "enqueue_jobs.lua",
    /// Takes jobs from one queue, urgent ones first, flows in turn.
    TAKE_JOBS = "part/turns.lua" "part/waiting.lua" "take_jobs.lua",
    /// Takes a job of a flow that the worker has nothing of.
    TAKE_NEWCOMERS = "part/turns.lua" "part/waiting.lua" "part/give_back.lua" "take_newcomers.lua",
    /// Removes what waits for runs that have ended.
    DROP_RUNS = "part/turns.lua" "part/waiting.lua" "drop_runs.lua",
    /// Lets a run into the line, or past it.
    JOIN_LINE = "part/turns.lua" "part/line.lua" "join_line.lua",
    /// Takes runs that ended out of the line, and admits the next.
    LEAVE_LINE = "part/turns.lua" "part/line.lua" "leave_line.lua",
    /// Takes on sending admitted runs again that should have begun by now.
    RESEND_LINE = "part/turns.lua" "part/line.lua" "resend_line.lua",
    /// Tells who runs and who waits.
    VIEW_LINE = "part/turns.lua" "part/line.lua" "view_line.lua",
    /// Tells a run's place.
    PLACE_IN_LINE = "part/turns.lua" "part/line.lua" "place_in_line.lua",
    /// Tells which jobs are in no queue.
    FIND_JOBS = "part/turns.lua" "part/waiting.lua" "find_jobs.lua",
    /// Gives jobs in hand back to the queue.
    HAND_BACK = "part/give_back.lua" "hand_back.lua",
    /// Keeps results of one shard within their bound.
    KEEP_RESULTS = "keep_results.lua",
    /// Adds to a window over many runs, once.
    ADD_TO_WINDOW = "add_to_window.lua",
    /// Keeps claims fresh that are still held.
    KEEP_JOBS = "keep_jobs.lua",
    /// Tells how full one queue is.
    QUEUE_DEPTH = "part/turns.lua" "part/waiting.lua" "queue_depth.lua",
    /// Forgets a queue that nobody has used for long.
    FORGET_QUEUE = "forget_queue.lua",
    /// Forgets consumers that are long gone.
    FORGET_CONSUMERS = "forget_consumers.lua",
    /// Removes the streams of a forgotten queue, if they are empty.
    RETIRE_QUEUE = "retire_queue.lua",
);

impl LuaScript {
    /// `EVALSHA` with these keys; arguments follow by [`Cmd::arg`]. `bytes` is a guess of the command's size.
    pub(crate) fn on(&self, keys: &[&str], bytes: usize) -> Cmd {
        let mut command = Cmd::with_capacity(3 + keys.len() + 8, bytes + 64);
        command.arg("EVALSHA").arg(self.digest.as_str()).arg(keys.len());
        for key in keys {
            command.arg(*key);
        }
        command
    }
}

/// `SCRIPT LOAD` of every script.
pub(crate) fn load_commands() -> Vec<Cmd> {
    ALL.iter()
        .map(|script| {
            let mut command = redis::cmd("SCRIPT");
            command.arg("LOAD").arg(script.text);
            command
        })
        .collect()
}
