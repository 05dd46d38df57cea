//! Windows over many runs: values that any number of workers add to, each contribution once, until the window closes and
//! whoever closed it is given all of them. Rule: a contribution that is repeated changes nothing and gets the same answer.

use std::time::Duration;

use millrace_contracts::{BlobId, UnixMillis};

use crate::lease::milliseconds;
use crate::{Bus, BusError, reply, scripts};

/// Most values of one window together, bytes.
pub const MAX_WINDOW_BYTES: u64 = 4 * 1024 * 1024;
/// For so long a repeated contribution is known for one: longer than a job can be retried or taken over in earnest.
const REMEMBERED: Duration = Duration::from_secs(24 * 3_600);
/// Of one window so many, the latest.
const MOST_REMEMBERED: u64 = 100_000;
/// For so long whoever closed a window is given it again.
const GIVEN_AGAIN: Duration = Duration::from_secs(3_600);
/// A window that nobody adds to is forgotten.
const KEPT: Duration = Duration::from_secs(40 * 24 * 3_600);

/// When a window closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowSize {
    /// With so many contributions, from 1.
    Contributions(u32),
    /// Each lasts so long, from the Unix epoch on. It is closed by the first contribution after it; what comes late counts
    /// in the one that is open.
    Span(Duration),
}

/// What one run adds to a window.
#[derive(Debug, Clone, Copy)]
pub struct Contribution<'a> {
    /// The window's name, whatever it is.
    pub window: &'a str,
    /// When it closes.
    pub size: WindowSize,
    /// Who adds: the same name is counted once.
    pub contributor: &'a str,
    /// When, the same for every repetition.
    pub at: UnixMillis,
    /// What is added.
    pub values: &'a [String],
}

/// What became of a contribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowState {
    /// The window goes on.
    Open,
    /// It closed: all its values, in the order they came.
    Closed(Vec<String>),
    /// It would be larger than [`MAX_WINDOW_BYTES`]; nothing was added.
    Full,
}

impl Bus {
    /// Adds a contribution to a window.
    ///
    /// # Errors
    /// Redis could not be reached; whether it was added is not known, and adding it again does no harm.
    pub async fn add_to_window(&self, contribution: &Contribution<'_>) -> Result<WindowState, BusError> {
        let what = "add to a window";
        let base = self.keys().window(&BlobId::of(contribution.window.as_bytes()).to_string());
        let closed = format!("{base}:closed:{}", contribution.contributor);
        let names =
            [format!("{base}:values"), format!("{base}:state"), format!("{base}:contributors"), closed];
        let (count, span_ms) = match contribution.size {
            WindowSize::Contributions(count) => (count.max(1), 0),
            WindowSize::Span(span) => (0, milliseconds(span)),
        };
        let bytes = contribution.values.iter().map(String::len).sum();
        let mut add = scripts::ADD_TO_WINDOW.on(&names.each_ref().map(String::as_str), bytes);
        add.arg(contribution.contributor).arg(contribution.at.0).arg(count).arg(span_ms);
        add.arg(MAX_WINDOW_BYTES).arg(milliseconds(REMEMBERED)).arg(milliseconds(GIVEN_AGAIN));
        add.arg(milliseconds(KEPT)).arg(MOST_REMEMBERED);
        add.arg(contribution.values);
        let answer = self.send(what, vec![add]).await?.pop().unwrap_or(redis::Value::Nil);
        let mut texts = Vec::new();
        for part in reply::array(what, answer)? {
            texts.push(String::from_utf8_lossy(&reply::bytes(what, part)?).into_owned());
        }
        Ok(match texts.first().map(String::as_str) {
            Some("closed") => WindowState::Closed(texts.split_off(1)),
            Some("full") => WindowState::Full,
            _ => WindowState::Open,
        })
    }
}
