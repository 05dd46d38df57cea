//! Schedules: what starts runs by the clock, and the cues by which orchestrators hear of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::IdError;
use crate::job::Priority;
use crate::{ExecutionId, Pool, ScheduleId, UnixMillis};

/// What a firing does while an earlier run of the schedule goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is left out.
    #[default]
    Skip,
    /// It waits until the run has ended; what fires while one waits is left out.
    Queue,
    /// It starts a run all the same.
    Allow,
}

impl Overlap {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Skip, Self::Queue, Self::Allow];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Queue => "queue",
            Self::Allow => "allow",
        }
    }
}

/// What a schedule starts, and when. Its input is resolved: pictures are in the blob store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleSpec {
    /// The cron expression.
    pub cron: String,
    /// IANA name of the time zone.
    pub timezone: String,
    /// While an earlier run goes on.
    pub overlap: Overlap,
    /// The workflow's version, from 1; the newest at the time of each firing when none.
    pub version: Option<u32>,
    /// The version that the input was checked against.
    pub checked_version: u32,
    /// Input node → value.
    pub input: Map<String, Value>,
    /// How urgent the runs are.
    pub priority: Priority,
    /// The pool for all their jobs.
    pub pool: Option<Pool>,
    /// Their labels.
    pub labels: Map<String, Value>,
    /// Ends each after so many milliseconds.
    pub timeout_ms: Option<u64>,
    /// Who is told of the end of each.
    #[serde(default)]
    pub callback_url: Option<String>,
    /// Firings go off up to so many milliseconds late.
    pub jitter_ms: u64,
}

/// A reason to look at a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cue {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// Why.
    pub reason: CueReason,
}

/// Why a schedule is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CueReason {
    /// It fires: this is the time it was due, jitter not counted.
    Due(UnixMillis),
    /// One of its runs ended, so that a firing that waits may start.
    Ended(ExecutionId),
}

/// First part of the text of a cue.
const PREFIX: &str = "schedule";

/// `schedule|<id>|due|<ms>` or `schedule|<id>|ended|<run>`: the form in the timer sets, beside the timers of runs.
impl fmt::Display for Cue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            CueReason::Due(due) => write!(f, "{PREFIX}|{}|due|{}", self.schedule_id, due.0),
            CueReason::Ended(run) => write!(f, "{PREFIX}|{}|ended|{run}", self.schedule_id),
        }
    }
}

impl FromStr for Cue {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || IdError { what: "schedule cue", value: text.chars().take(80).collect() };
        let parts: Vec<&str> = text.split('|').collect();
        let [PREFIX, id, reason, value] = parts[..] else { return Err(fault()) };
        let reason = match reason {
            "due" => CueReason::Due(UnixMillis(value.parse().map_err(|_| fault())?)),
            "ended" => CueReason::Ended(value.parse()?),
            _ => return Err(fault()),
        };
        Ok(Self { schedule_id: id.parse()?, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_survive_their_text_form() {
        let schedule_id = ScheduleId::generate();
        for reason in
            [CueReason::Due(UnixMillis(1_800_000_000_123)), CueReason::Ended(ExecutionId::generate())]
        {
            let cue = Cue { schedule_id, reason };
            assert_eq!(cue.to_string().parse::<Cue>().unwrap(), cue);
        }
        for wrong in
            ["schedule|x|due|1", "schedule", "timer|a|due|1", &format!("schedule|{schedule_id}|due|x")]
        {
            assert!(wrong.parse::<Cue>().is_err(), "{wrong}");
        }
    }
}
