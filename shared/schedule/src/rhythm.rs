//! A cron expression in a time zone: when it fires next. `croner` finds matching wall-clock times; which instants those are is
//! decided here, since its own handling forgets in which pass of a repeated hour a search began.

use std::time::Duration;

use chrono::{DateTime, LocalResult, NaiveDateTime, SubsecRound, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, JobType};
use millrace_contracts::UnixMillis;

/// Characters of an expression.
const MAX_LENGTH: usize = 200;
/// Wall-clock times looked at for one that exists: a second of every minute of the longest hour left out, and more.
const MAX_SEARCH: usize = 100_000;
/// No clock is put forward or back by more than this.
const LONGEST_CHANGE: TimeDelta = TimeDelta::hours(26);
/// Firings looked at to find the shortest pause between two.
const COMPARED: usize = 64;
/// The fields from the last to the first, with how many values each has.
const FIELDS: [(&str, u64); 6] =
    [("weekdays", 7), ("months", 12), ("days", 31), ("hours", 24), ("minutes", 60), ("seconds", 60)];
const NICKNAMES: [&str; 7] =
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// An expression or a time zone that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RhythmError {
    /// The expression does not read.
    #[error("this is not a cron expression: {0}")]
    Cron(String),
    /// A step that its field cannot hold. Parsers take it for one that is as long as the field, which nobody means.
    #[error("a step of {step} is longer than the field of {field}, which has {size}")]
    Step {
        /// The step.
        step: u64,
        /// The field, such as `minutes`.
        field: &'static str,
        /// How many there are.
        size: u64,
    },
    /// There is no such time zone.
    #[error("there is no time zone {0:?}")]
    Timezone(String),
    /// It reads, and no date matches it.
    #[error("no date ever matches this expression")]
    Never,
}

/// When something fires.
#[derive(Debug, Clone)]
pub struct Rhythm {
    cron: Cron,
    timezone: Tz,
    /// One time of day, rather than several.
    is_daily: bool,
}

impl Rhythm {
    /// Reads an expression; `now` is only used to see that it fires at all.
    ///
    /// # Errors
    /// Either text is wrong, or nothing ever matches.
    pub fn parse(cron: &str, timezone: &str, now: UnixMillis) -> Result<Self, RhythmError> {
        let zone: Tz = timezone
            .parse()
            .map_err(|_| RhythmError::Timezone(timezone.chars().take(MAX_LENGTH).collect()))?;
        let cron = read(cron)?;
        let is_daily = cron.determine_job_type() == JobType::FixedTime;
        let rhythm = Self { cron, timezone: zone, is_daily };
        rhythm.next_after(now).ok_or(RhythmError::Never)?;
        Ok(rhythm)
    }

    /// The first firing later than `now`; none when there is none any more.
    #[must_use]
    pub fn next_after(&self, now: UnixMillis) -> Option<UnixMillis> {
        let now = now.to_utc().trunc_subsecs(0);
        let mut wall = now.with_timezone(&self.timezone).naive_local();
        for _ in 0..MAX_SEARCH {
            let found = self.next_wall(wall)?;
            if let Some(repeated) = self.in_second_pass(now, found) {
                return Some(repeated.into());
            }
            if let Some(instant) = self.instant(found, now) {
                return Some(instant.into());
            }
            wall = found;
        }
        None
    }

    /// The next `count` firings after `now`.
    #[must_use]
    pub fn upcoming(&self, now: UnixMillis, count: usize) -> Vec<UnixMillis> {
        std::iter::successors(self.next_after(now), |last| self.next_after(*last)).take(count).collect()
    }

    /// The shortest pause among the next 64 firings; none when there is only one.
    #[must_use]
    pub fn shortest_pause(&self, now: UnixMillis) -> Option<Duration> {
        let firings = self.upcoming(now, COMPARED);
        let pauses = firings.windows(2).map(|pair| Duration::from_millis(pair[1].since(pair[0])));
        pauses.min()
    }

    /// The next wall-clock time that matches, as if no clock ever changed.
    fn next_wall(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        self.cron.find_next_occurrence(&Utc.from_utc_datetime(&wall), false).ok().map(|time| time.naive_utc())
    }

    /// The instant later than `now` at which the clock on the wall shows `wall`.
    fn instant(&self, wall: NaiveDateTime, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let later = |time: DateTime<Tz>| Some(time.to_utc()).filter(|time| *time > now);
        match self.timezone.from_local_datetime(&wall) {
            LocalResult::Single(time) => later(time),
            LocalResult::Ambiguous(first, _) if self.is_daily => later(first),
            LocalResult::Ambiguous(first, second) => later(first).or_else(|| later(second)),
            LocalResult::None if self.is_daily => later(self.after_gap(wall)?),
            LocalResult::None => None,
        }
    }

    /// The first moment after the wall-clock times that are left out around `wall`.
    fn after_gap(&self, wall: NaiveDateTime) -> Option<DateTime<Tz>> {
        let exists = |wall: NaiveDateTime| self.timezone.from_local_datetime(&wall).earliest();
        let (mut missing, mut there) = (wall, wall + LONGEST_CHANGE);
        exists(there)?;
        while there - missing > TimeDelta::seconds(1) {
            let middle = missing + TimeDelta::seconds((there - missing).num_seconds() / 2);
            if exists(middle).is_some() { there = middle } else { missing = middle }
        }
        exists(there)
    }

    /// For a search that began in the first pass of a repeated hour and found nothing more in it: the first match of the
    /// second pass, which shows wall-clock times that are not later than the beginning.
    fn in_second_pass(&self, now: DateTime<Utc>, found: NaiveDateTime) -> Option<DateTime<Utc>> {
        let begun = now.with_timezone(&self.timezone).naive_local();
        let LocalResult::Ambiguous(first, second) = self.timezone.from_local_datetime(&begun) else {
            return None;
        };
        if self.is_daily || first.to_utc() != now {
            return None;
        }
        let is_repeated = |wall: NaiveDateTime| {
            matches!(self.timezone.from_local_datetime(&wall), LocalResult::Ambiguous(..))
        };
        if is_repeated(found) && found - begun < second - first {
            return None;
        }
        let (mut inside, mut end) = (begun, begun + (second.to_utc() - first.to_utc()));
        while end - inside > TimeDelta::seconds(1) {
            let middle = inside + TimeDelta::seconds((end - inside).num_seconds() / 2);
            if is_repeated(middle) { inside = middle } else { end = middle }
        }
        let start = end - (second.to_utc() - first.to_utc());
        let wall = self.next_wall(start - TimeDelta::seconds(1)).filter(|wall| *wall < end)?;
        self.timezone.from_local_datetime(&wall).latest().map(|time| time.to_utc())
    }
}

/// The expression with its forms limited to those that are documented.
fn read(cron: &str) -> Result<Cron, RhythmError> {
    let refuse = |reason: &str| Err(RhythmError::Cron(reason.to_owned()));
    let cron = cron.trim();
    if cron.len() > MAX_LENGTH {
        return refuse(&format!("it has more than {MAX_LENGTH} characters"));
    }
    if cron.contains('@') {
        if !NICKNAMES.contains(&cron.to_ascii_lowercase().as_str()) {
            return refuse(&format!("the names are {}", NICKNAMES.join(", ")));
        }
    } else if !matches!(cron.split_whitespace().count(), 5 | 6) {
        return refuse("it has five fields, `minute hour day month weekday`, or six with seconds in front");
    }
    check_steps(cron)?;
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Optional).build();
    parser
        .parse(&cron.to_ascii_lowercase().replace("@midnight", "@daily"))
        .map_err(|error| RhythmError::Cron(error.to_string()))
}

/// Refuses steps that are longer than their field.
fn check_steps(cron: &str) -> Result<(), RhythmError> {
    for (text, (field, size)) in cron.split_whitespace().rev().zip(FIELDS) {
        let steps = text.split(',').filter_map(|part| part.rsplit_once('/')?.1.parse::<u64>().ok());
        if let Some(step) = steps.max().filter(|step| *step > size) {
            return Err(RhythmError::Step { step, field, size });
        }
    }
    Ok(())
}
