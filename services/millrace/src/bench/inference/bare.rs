//! The bare loop's other side: starts its process and gives it turns.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::bare_loop::{Open, Turn};
use super::kit::{CONVNET, Kit};
use crate::roles;

/// Threads of the loop, whatever the machine has: the comparison's definition.
pub(crate) const THREADS: usize = 2;
/// Loading, or what a turn takes beyond its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The process. It ends with this value.
pub(crate) struct BareLoop {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Resident memory that each of its sessions added, bytes.
    pub(crate) session_bytes: u64,
}

impl BareLoop {
    pub(crate) async fn start(kit: &Kit) -> anyhow::Result<Self> {
        let mut command = Command::new(roles::this_program()?);
        command.arg("bench-bare-loop").arg("--library").arg(&kit.library);
        command.arg("--models").arg(kit.models()).args(["--model", CONVNET]);
        command.arg("--pictures").arg(kit.blobs_url()).args(["--threads", &THREADS.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start the bare loop")?;
        let input = child.stdin.take().context("its input is piped")?;
        let output = child.stdout.take().context("its output is piped")?;
        let mut bare =
            Self { _child: child, input, output: BufReader::new(output).lines(), session_bytes: 0 };
        let open: Open = serde_json::from_str(&bare.line(PATIENCE).await?)?;
        bare.session_bytes = open.session_bytes;
        Ok(bare)
    }

    /// Lets it work for `time`.
    pub(crate) async fn turn(&mut self, time: Duration) -> anyhow::Result<Turn> {
        self.input.write_all(format!("{}\n", time.as_millis()).as_bytes()).await?;
        self.input.flush().await?;
        Ok(serde_json::from_str(&self.line(time + PATIENCE).await?)?)
    }

    async fn line(&mut self, patience: Duration) -> anyhow::Result<String> {
        let line = tokio::time::timeout(patience, self.output.next_line()).await;
        line.context("the bare loop does not answer")??.context("the bare loop ended")
    }
}
