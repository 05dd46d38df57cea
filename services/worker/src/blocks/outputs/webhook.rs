//! `webhook`: sent until it is taken, or until it is clear that it will not be. What is sent again has the same
//! `Idempotency-Key`, so that whoever keeps it counts it once.

mod request;
mod signature;

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::outputs::webhook::Config;
use millrace_contracts::{ErrorKind, JobError};
use millrace_fetch::header::{CONTENT_TYPE, RETRY_AFTER};
use millrace_fetch::{FetchError, Response, StatusCode, read};
use millrace_tasks::backoff;
use serde_json::Value;

use self::request::Letter;
use crate::job::{JobContext, Outputs, Stage};
use crate::outside::of_fetch;
use crate::values;

const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Who asks for a longer pause (`Retry-After`) is not waited for.
const LONGEST_WISH: Duration = Duration::from_secs(60);

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    tell(context).boxed()
}

/// An attempt that came to nothing.
struct Failure {
    error: JobError,
    /// Whether anything went out.
    was_sent: bool,
    /// How long to wait before another one, if there may be one.
    again: Option<Option<Duration>>,
}

async fn tell(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let letter = Letter::write(context, &config)?;
    let mut pauses = backoff(SHORTEST_PAUSE, LONGEST_PAUSE);
    let (mut attempts, mut sent) = (1, 0);
    loop {
        let begun = Instant::now();
        let answer = context.clock.time(Stage::Upload, attempt(context, &config, &letter)).await;
        sent += u32::from(answer.as_ref().map_or_else(|failure| failure.was_sent, |_| true));
        context.clock.sent(sent);
        match answer {
            Ok((status, response)) => {
                let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                return Ok(Outputs::from_iter([
                    ("status".to_owned(), status.as_u16().into()),
                    ("attempts".to_owned(), attempts.into()),
                    ("latency_ms".to_owned(), latency_ms.into()),
                    ("response".to_owned(), response),
                ]));
            }
            Err(Failure { error, again: Some(wish), .. }) if attempts < config.max_attempts => {
                let pause = pauses.next().unwrap_or(LONGEST_PAUSE).max(wish.unwrap_or_default());
                tracing::debug!(%error, pause_ms = pause.as_millis(), "a webhook is sent again");
                tokio::time::sleep(pause).await;
                attempts += 1;
            }
            Err(Failure { error, was_sent, .. }) => {
                let message = match (was_sent, attempts) {
                    (false, _) => error.message,
                    (true, 1) => format!("{}; it was sent once", error.message),
                    (true, _) => format!("{}; it was sent {attempts} times", error.message),
                };
                // Tried as often as the workflow wants: another attempt of the node would have another key.
                return Err(JobError { message, retryable: false, ..error });
            }
        }
    }
}

async fn attempt(
    context: &JobContext,
    config: &Config,
    letter: &Letter,
) -> Result<(StatusCode, Value), Failure> {
    let fatal = |error: JobError| Failure { error, was_sent: false, again: None };
    let request = letter.seal().map_err(fatal)?;
    let limit = Duration::from_millis(config.timeout_ms);
    let outside = &context.shared.outside;
    let exchange = async {
        let answer = outside.fetcher.send(&request).await?;
        let status = answer.status();
        context.clock.answered(status.as_u16());
        let wish = wish(&answer);
        let body = if status.is_success() { body(context, answer).await? } else { Value::Null };
        Ok::<_, FetchError>((status, wish, body))
    };
    let (status, wish, body) = match tokio::time::timeout(limit, exchange).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(error)) => {
            let again = error.is_retryable().then_some(None);
            let was_sent = !matches!(error, FetchError::Address(_) | FetchError::Forbidden { .. });
            return Err(Failure { error: of_fetch(&error).at("/config/url"), was_sent, again });
        }
        Err(_) => {
            let message = format!("there was no answer within {} ms", config.timeout_ms);
            let error = JobError::new(ErrorKind::Network, message);
            return Err(Failure { error, was_sent: true, again: Some(None) });
        }
    };
    if status.is_success() {
        return Ok((status, body));
    }
    let error = JobError::new(ErrorKind::Network, format!("the answer was {}", status.as_u16()));
    let busy = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
    let patient = wish.is_none_or(|wish| wish <= LONGEST_WISH);
    Err(Failure { error, was_sent: true, again: (busy && patient).then_some(wish) })
}

/// The pause that the other side asks for, in seconds as nearly everybody writes it.
fn wish(answer: &Response) -> Option<Duration> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The body of an answer; null, with a warning, when it is too large.
async fn body(context: &JobContext, answer: Response) -> Result<Value, FetchError> {
    let is_json = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json = is_json.is_some_and(|kind| kind.contains("json"));
    let bytes = match read(answer, context.shared.outside.max_answer_bytes()).await {
        Err(FetchError::TooLarge { limit }) => {
            context.warn(format!("the answer has more than {limit} bytes and was not read"));
            return Ok(Value::Null);
        }
        read => read?,
    };
    let parsed = if is_json { serde_json::from_slice(&bytes).ok() } else { None };
    Ok(parsed.unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned().into()))
}
