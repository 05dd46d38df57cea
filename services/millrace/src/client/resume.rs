//! An event stream over as many connections as it takes.

use std::io::Write as _;
use std::time::Duration;

use millrace_tasks::{Backoff, backoff};

use super::{Client, EventStream, Message, Problem};

const MIN_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// Failures to connect in a row before the reader gives up: about a minute, in which a server restarts.
const MAX_FAILURES: usize = 15;

/// A stream that is taken up again after the last event that was seen, when its connection breaks or the server ends it.
pub(crate) struct ResumedStream<'a> {
    client: &'a Client,
    path: String,
    query: Vec<(&'static str, String)>,
    /// The id of the last event that was seen; where the next connection resumes.
    last: Option<String>,
    stream: Option<EventStream>,
    /// Whether there has been a connection: the first one is not waited for.
    begun: bool,
    pauses: Backoff,
}

impl<'a> ResumedStream<'a> {
    /// The stream at `path`, not connected yet.
    pub(crate) fn new(client: &'a Client, path: String, query: Vec<(&'static str, String)>) -> Self {
        let pauses = backoff(MIN_PAUSE, MAX_PAUSE);
        Self { client, path, query, last: None, stream: None, begun: false, pauses }
    }

    /// Connects, without a second try: for who would rather hear at once that nobody answers.
    pub(crate) async fn connect(&mut self) -> anyhow::Result<()> {
        self.stream = Some(self.open().await?);
        Ok(())
    }

    /// The next message; none when the connection has ended. What is asked for after that, or after a
    /// [last](Message::is_last) message, comes by another connection.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Message>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect_again().await?,
        };
        // A broken connection is no error: the next resumes.
        let message = stream.next().await.and_then(Result::ok);
        if let Some(message) = &message {
            if !message.id.is_empty() {
                self.last = Some(message.id.clone());
            }
            if !message.is_last() {
                self.stream = Some(stream);
            }
        }
        Ok(message)
    }

    /// Connects, over and over, until it is plain that it will not be.
    async fn connect_again(&mut self) -> anyhow::Result<EventStream> {
        let mut failures = 0;
        loop {
            if self.begun || failures > 0 {
                tokio::time::sleep(self.pauses.next().unwrap_or(MAX_PAUSE)).await;
            }
            let fault = match self.open().await {
                Ok(stream) => return Ok(stream),
                Err(fault) => fault,
            };
            let lasting = fault
                .downcast_ref::<Problem>()
                .is_some_and(|problem| !problem.retryable && problem.status < 500);
            failures += 1;
            if lasting || failures >= MAX_FAILURES {
                return Err(fault);
            }
            if failures == 1 {
                // Not on stdout: that may be read by a program.
                writeln!(std::io::stderr(), "the api does not answer; trying again for a minute")?;
            }
        }
    }

    async fn open(&mut self) -> anyhow::Result<EventStream> {
        let stream = self.client.events(&self.path, &self.query, self.last.as_deref()).await?;
        (self.begun, self.pauses) = (true, backoff(MIN_PAUSE, MAX_PAUSE));
        Ok(stream)
    }
}
