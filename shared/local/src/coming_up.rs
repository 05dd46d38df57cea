//! Waiting for a server to come up. One that says nothing is given up after a while; one that says that it is reading its data, or
//! replaying its log, takes as long as that takes: given up, it would begin from the start again, each time.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// What a server says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It serves.
    Ready,
    /// It is reading its data.
    ComingUp,
    /// Nothing.
    Silent,
}

/// How long a server may be silent, and how often it is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) silence: Duration,
    pub(crate) poll: Duration,
}

/// Asks until the server is ready; false when its process is `gone`, or it was silent for too long.
pub(crate) async fn until_ready<F>(
    patience: Patience,
    gone: impl Future<Output = ()>,
    mut ask: impl FnMut() -> F,
) -> bool
where
    F: Future<Output = Answer>,
{
    let asked = async {
        let (begun, mut heard) = (Instant::now(), Instant::now());
        let mut is_told = false;
        loop {
            let left = patience.silence.saturating_sub(heard.elapsed());
            match timeout(left.max(patience.poll), ask()).await.unwrap_or(Answer::Silent) {
                Answer::Ready => return true,
                Answer::ComingUp => heard = Instant::now(),
                Answer::Silent if heard.elapsed() >= patience.silence => return false,
                Answer::Silent => {}
            }
            if !is_told && begun.elapsed() >= patience.silence {
                is_told = true;
                tracing::warn!("a private server is still reading its data; waiting for it");
            }
            sleep(patience.poll).await;
        }
    };
    tokio::select! {
        ready = asked => ready,
        () = gone => false,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const PATIENCE: Patience = Patience { silence: Duration::from_secs(60), poll: Duration::from_secs(1) };

    /// Says `first` for so many seconds, then `then`.
    async fn server(first: Answer, seconds: u64, then: Answer) -> bool {
        let begun = Instant::now();
        let ask = || ready(if begun.elapsed() < Duration::from_secs(seconds) { first } else { then });
        until_ready(PATIENCE, pending(), ask).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_reads_its_data_takes_as_long_as_it_takes() {
        assert!(server(Answer::ComingUp, 3_600, Answer::Ready).await);
        assert!(server(Answer::Silent, 59, Answer::Ready).await);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_says_nothing_or_is_gone_is_given_up() {
        assert!(!server(Answer::Silent, 61, Answer::Ready).await);
        assert!(!server(Answer::ComingUp, 3_600, Answer::Silent).await);
        assert!(!until_ready(PATIENCE, pending(), pending::<Answer>).await, "it does not even refuse");
        assert!(!until_ready(PATIENCE, ready(()), || ready(Answer::ComingUp)).await);
    }
}
