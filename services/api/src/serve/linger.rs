//! Who is refused before all is sent goes on sending for a while, and a connection that is closed meanwhile answers with a reset,
//! which often costs the sender the answer that it was given. So what comes behind the last answer is read and thrown away.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// Longest that is read on.
const MAX_TIME: Duration = Duration::from_secs(2);
/// Most that is thrown away, bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A connection in the hands of somebody who closes it by letting go: it comes back instead.
pub(super) struct Lent {
    /// Both, until it is let go.
    held: Option<(TcpStream, oneshot::Sender<TcpStream>)>,
}

/// Lends `connection`; where it comes back.
pub(super) fn lend(connection: TcpStream) -> (Lent, oneshot::Receiver<TcpStream>) {
    let (sender, back) = oneshot::channel();
    (Lent { held: Some((connection, sender)) }, back)
}

/// Reads on what a connection's peer still sends, until it has read its answer and goes.
pub(super) async fn read_on(mut connection: TcpStream) {
    // For a peer that waits for the end of the answer.
    if connection.shutdown().await.is_err() {
        return;
    }
    let rest = async {
        let mut sink = tokio::io::sink();
        tokio::io::copy(&mut connection.take(MAX_BYTES), &mut sink).await
    };
    if let Ok(Err(error)) = tokio::time::timeout(MAX_TIME, rest).await {
        tracing::debug!(%error, "a connection broke off behind its last answer");
    }
}

impl Lent {
    fn connection(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        let (connection, _) = self.get_mut().held.as_mut().expect("it is held until it is let go");
        Pin::new(connection)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some((connection, back)) = self.held.take() {
            // Where nobody waits for it, it is closed.
            drop(back.send(connection));
        }
    }
}

impl AsyncRead for Lent {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.connection().poll_read(context, buffer)
    }
}

impl AsyncWrite for Lent {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.connection().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        self.connection().poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.held.as_ref().is_some_and(|(connection, _)| connection.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.connection().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.connection().poll_shutdown(context)
    }
}
