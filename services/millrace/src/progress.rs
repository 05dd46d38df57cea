//! Bars for people who wait: on standard error, and only where that is a terminal. Pipes, files and `--json` see nothing of them.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, stream};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

/// A bar that moves by itself does so this often.
const TICK: Duration = Duration::from_millis(120);
/// Bytes that are sent in one piece, and counted so.
const PIECE: usize = 64 * 1024;

/// Whether bars are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bars {
    shown: bool,
}

impl Bars {
    /// On a terminal, unless `quiet`: then a program reads along.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { shown: !quiet && std::io::stderr().is_terminal() }
    }

    /// Bytes on their way, so many of them.
    pub(crate) fn bytes(self, what: &str, total: u64) -> ProgressBar {
        self.bar("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}", Some(total), what)
    }

    /// Steps to be done, so many of them as far as is known.
    pub(crate) fn steps(self, what: &str, total: u64) -> ProgressBar {
        self.ticking(self.bar("{spinner} {msg} {bar:30} {pos}/{len} {elapsed}", Some(total), what))
    }

    /// Something that ends when it ends.
    pub(crate) fn waiting(self, what: &str) -> ProgressBar {
        self.ticking(self.bar("{spinner} {msg} {elapsed}", None, what))
    }

    fn bar(self, template: &str, total: Option<u64>, what: &str) -> ProgressBar {
        let target = if self.shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template(template).expect("the templates here are sound");
        ProgressBar::with_draw_target(total, target)
            .with_style(style.progress_chars("=> "))
            .with_message(what.to_owned())
            // When it is dropped, as when a command fails.
            .with_finish(ProgressFinish::AndClear)
    }

    fn ticking(self, bar: ProgressBar) -> ProgressBar {
        if self.shown {
            bar.enable_steady_tick(TICK);
        }
        bar
    }
}

/// `bytes` in pieces; `bar` moves as they are taken.
pub(crate) fn counted(bytes: Bytes, bar: ProgressBar) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let starts = (0..bytes.len()).step_by(PIECE);
    stream::iter(starts.map(move |start| {
        let piece = bytes.slice(start..bytes.len().min(start + PIECE));
        bar.inc(piece.len() as u64);
        Ok(piece)
    }))
}

/// A file in pieces, each read when it is sent; `bar` moves as they are.
pub(crate) fn counted_file(file: File, bar: ProgressBar) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold((file, bar), |(mut file, bar)| async move {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = file.read_buf(&mut piece).await?;
        bar.inc(read as u64);
        Ok((read > 0).then(|| (piece.freeze(), (file, bar))))
    })
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    #[tokio::test]
    async fn bytes_come_whole_and_are_counted() {
        let bytes = Bytes::from((0..200_000_u32).map(|number| number as u8).collect::<Vec<_>>());
        let bar = Bars { shown: false }.bytes("x", bytes.len() as u64);
        let pieces: Vec<_> = counted(bytes.clone(), bar.clone()).map(Result::unwrap).collect().await;
        assert_eq!((pieces.concat(), pieces.len()), (bytes.to_vec(), 4));
        assert_eq!(bar.position(), 200_000);

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let (bar, read) = (Bars { shown: false }.bytes("x", 200_000), File::open(file.path()).await.unwrap());
        let pieces: Vec<_> = counted_file(read, bar.clone()).map(Result::unwrap).collect().await;
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
        assert_eq!((pieces.concat(), bar.position()), (bytes.to_vec(), 200_000));
    }
}
