//! A schedule's request: its own fields, the options of its runs, and an input checked as a run's is.

use std::time::Duration;

use axum::extract::Request;
use millrace_contracts::schedule::{Overlap, ScheduleSpec};
use millrace_contracts::{Fault, Faults, UnixMillis, WorkflowId};
use millrace_schedule::{Rhythm, RhythmError};
use millrace_store::NewSchedule;
use serde_json::{Map, Value};

use crate::body;
use crate::fields;
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::submit::{self, RunOptions, Target, unknown_fields};

/// Firings may be spread over so much, milliseconds.
const MAX_JITTER_MS: u64 = 3_600_000;
/// The fields beside those of [`RunOptions`].
const FIELDS: [&str; 7] = ["cron", "timezone", "overlap", "input", "version", "enabled", "jitter_ms"];

/// A request's own fields, before the workflow is looked at.
struct Draft {
    rhythm: Option<Rhythm>,
    cron: String,
    timezone: String,
    overlap: Overlap,
    input: Map<String, Value>,
    version: Option<u32>,
    enabled: bool,
    jitter_ms: u64,
    options: RunOptions,
}

/// Reads the schedule of `workflow` that a request describes.
pub(crate) async fn read(app: &App, request: Request, workflow: WorkflowId) -> Result<NewSchedule, Problem> {
    let held = body::object(app, request, body::max_json(app)).await?;
    let now = UnixMillis::now();
    let mut faults = Faults::default();
    let draft = Draft::take(held.value, app.settings.min_schedule_pause, now, &mut faults);
    faults.or(()).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))?;
    let target =
        Target::version(app, workflow, draft.version).await.map_err(|problem| match draft.version {
            Some(version) if problem.code() == Code::NotFound => {
                let fault = Fault::new(
                    "UNKNOWN_VERSION",
                    "/version",
                    format!("the workflow has no version {version}"),
                );
                Problem::fault(
                    Code::InvalidRequest,
                    fault.hint("leave `version` out to run the newest each time"),
                )
            }
            _ => problem,
        })?;
    let input = submit::resolve(app, &target.compiled, draft.input, "/input").await?;
    drop(held.memory);
    let next_at = draft.rhythm.filter(|_| draft.enabled).and_then(|rhythm| rhythm.next_after(now));
    let spec = ScheduleSpec {
        cron: draft.cron,
        timezone: draft.timezone,
        overlap: draft.overlap,
        version: draft.version,
        checked_version: target.version.unwrap_or(1),
        input,
        priority: draft.options.priority,
        pool: draft.options.pool,
        labels: draft.options.labels,
        timeout_ms: draft.options.timeout_ms,
        callback_url: draft.options.callback_url,
        jitter_ms: draft.jitter_ms,
    };
    Ok(NewSchedule { spec, enabled: draft.enabled, next_at })
}

/// The options of the runs that a schedule starts.
pub(crate) fn options(spec: &ScheduleSpec) -> RunOptions {
    RunOptions {
        priority: spec.priority,
        pool: spec.pool.clone(),
        labels: spec.labels.clone(),
        timeout_ms: spec.timeout_ms,
        callback_url: spec.callback_url.clone(),
    }
}

impl Draft {
    fn take(
        mut fields: Map<String, Value>,
        shortest: Duration,
        now: UnixMillis,
        faults: &mut Faults,
    ) -> Self {
        let options = RunOptions::take(&mut fields, faults);
        let [cron, timezone, overlap, input, version, enabled, jitter] =
            FIELDS.map(|name| fields::take(&mut fields, name));
        let cron = text("cron", cron, None, faults);
        let timezone = text("timezone", timezone, Some("UTC"), faults);
        let (rhythm, pause) = match (&cron, &timezone) {
            (Some(cron), Some(timezone)) => rhythm(cron, timezone, shortest, now, faults).unzip(),
            _ => (None, None),
        };
        let draft = Self {
            rhythm,
            cron: cron.unwrap_or_default(),
            timezone: timezone.unwrap_or_default(),
            overlap: read_overlap(overlap, faults),
            input: read_input(input, faults),
            version: read_version(version, faults),
            enabled: read_enabled(enabled, faults),
            jitter_ms: read_jitter(jitter, pause.flatten(), faults),
            options,
        };
        unknown_fields(&fields, &FIELDS, faults);
        draft
    }
}

fn text(name: &str, value: Option<Value>, default: Option<&str>, faults: &mut Faults) -> Option<String> {
    match (value, default) {
        (Some(Value::String(text)), _) => Some(text),
        (None, Some(default)) => Some(default.to_owned()),
        (None, None) => {
            let fault = Fault::new("MISSING_FIELD", format!("/{name}"), format!("there is no `{name}`"));
            faults.push(fault.hint("write \"cron\": \"0 6 * * *\" for every day at six"));
            None
        }
        (Some(other), _) => {
            let message = format!("`{name}` is a text, not {}", body::type_name(&other));
            faults.push(Fault::new("INVALID_TYPE", format!("/{name}"), message));
            None
        }
    }
}

/// The rhythm, and its shortest pause.
fn rhythm(
    cron: &str,
    timezone: &str,
    shortest: Duration,
    now: UnixMillis,
    faults: &mut Faults,
) -> Option<(Rhythm, Option<Duration>)> {
    let rhythm = match Rhythm::parse(cron, timezone, now) {
        Ok(rhythm) => rhythm,
        Err(error) => {
            let (code, pointer, hint) = match &error {
                RhythmError::Cron(_) => (
                    "INVALID_CRON",
                    "/cron",
                    "write `minute hour day month weekday`, such as \"0 6 * * MON-FRI\", or @hourly",
                ),
                RhythmError::Step { .. } => (
                    "INVALID_CRON",
                    "/cron",
                    "a step counts within its field; say the rest in the next one, as \"0 */2 * * *\" does for every two hours",
                ),
                RhythmError::Never => ("INVALID_CRON", "/cron", "see that the day exists in that month"),
                RhythmError::Timezone(_) => (
                    "UNKNOWN_TIMEZONE",
                    "/timezone",
                    "write an IANA name, such as \"Europe/Berlin\" or \"UTC\"",
                ),
            };
            faults.push(Fault::new(code, pointer, error.to_string()).hint(hint));
            return None;
        }
    };
    let pause = rhythm.shortest_pause(now);
    if let Some(pause) = pause.filter(|pause| *pause < shortest) {
        let message = format!("it fires every {pause:?}, and {shortest:?} is the shortest pause allowed");
        faults.push(Fault::new("INVALID_CRON", "/cron", message).hint("leave out the field of seconds"));
    }
    Some((rhythm, pause))
}

fn read_overlap(value: Option<Value>, faults: &mut Faults) -> Overlap {
    let Some(value) = value else { return Overlap::default() };
    let found = Overlap::ALL.into_iter().find(|overlap| value.as_str() == Some(overlap.as_str()));
    found.unwrap_or_else(|| {
        let fault = Fault::new("INVALID_VALUE", "/overlap", "this is not a policy for overlaps");
        faults.push(fault.hint("write \"skip\", \"queue\" or \"allow\""));
        Overlap::default()
    })
}

fn read_input(value: Option<Value>, faults: &mut Faults) -> Map<String, Value> {
    match value {
        None => Map::new(),
        Some(Value::Object(input)) => input,
        Some(other) => {
            let message = format!("`input` is an object of inputs by name, not {}", body::type_name(&other));
            faults.push(Fault::new("INVALID_TYPE", "/input", message));
            Map::new()
        }
    }
}

fn read_version(value: Option<Value>, faults: &mut Faults) -> Option<u32> {
    let value = value?;
    let version =
        value.as_u64().and_then(|version| u32::try_from(version).ok()).filter(|version| *version > 0);
    if version.is_none() {
        let fault = Fault::new("INVALID_VALUE", "/version", "a version is a whole number from 1");
        faults.push(fault.hint("leave `version` out to run the newest each time"));
    }
    version
}

fn read_enabled(value: Option<Value>, faults: &mut Faults) -> bool {
    let Some(value) = value else { return true };
    value.as_bool().unwrap_or_else(|| {
        faults.push(Fault::new("INVALID_TYPE", "/enabled", "`enabled` is true or false"));
        true
    })
}

/// A firing that goes off only when the next one is due would be left out: `pause` is the shortest between two.
fn read_jitter(value: Option<Value>, pause: Option<Duration>, faults: &mut Faults) -> u64 {
    let Some(value) = value else { return 0 };
    let Some(jitter) = value.as_u64().filter(|jitter| *jitter <= MAX_JITTER_MS) else {
        let message = format!("`jitter_ms` is a whole number from 0 to {MAX_JITTER_MS}");
        faults.push(Fault::new("INVALID_VALUE", "/jitter_ms", message));
        return 0;
    };
    if let Some(pause) = pause.filter(|pause| Duration::from_millis(jitter) >= *pause) {
        let message =
            format!("`jitter_ms` is as long as the pause between two firings, {pause:?}, or longer");
        let fault = Fault::new("INVALID_VALUE", "/jitter_ms", message);
        faults
            .push(fault.hint("spread firings over less than the shortest pause, or let it fire less often"));
    }
    jitter
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn take(value: Value) -> (Draft, Vec<(String, String)>) {
        let Value::Object(fields) = value else { panic!("an object") };
        let mut faults = Faults::default();
        let now = UnixMillis(1_800_000_000_000);
        let draft = Draft::take(fields, Duration::from_secs(5), now, &mut faults);
        (draft, faults.0.into_iter().map(|fault| (fault.code, fault.pointer)).collect())
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let (draft, faults) = take(json!({"cron": "0 6 * * *"}));
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!((draft.timezone.as_str(), draft.overlap, draft.enabled), ("UTC", Overlap::Skip, true));
        assert_eq!((draft.version, draft.jitter_ms, draft.options), (None, 0, RunOptions::default()));
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let (_, faults) = take(json!({
            "cron": "61 * * * *", "overlap": "maybe", "input": [], "version": 0, "enabled": "yes",
            "jitter_ms": -1, "priority": "urgent", "crom": 1
        }));
        let pointers: Vec<_> = faults.iter().map(|(code, at)| (code.as_str(), at.as_str())).collect();
        let expected = [
            ("INVALID_VALUE", "/priority"),
            ("INVALID_CRON", "/cron"),
            ("INVALID_VALUE", "/overlap"),
            ("INVALID_TYPE", "/input"),
            ("INVALID_VALUE", "/version"),
            ("INVALID_TYPE", "/enabled"),
            ("INVALID_VALUE", "/jitter_ms"),
            ("UNKNOWN_FIELD", "/crom"),
        ];
        assert_eq!(pointers, expected);
    }

    #[test]
    fn rhythms_are_checked_for_what_they_mean() {
        let fault = |value| take(value).1.into_iter().next().unwrap();
        let pair = |code: &str, at: &str| (code.to_owned(), at.to_owned());
        assert_eq!(fault(json!({})), pair("MISSING_FIELD", "/cron"));
        assert_eq!(fault(json!({"cron": 5})), pair("INVALID_TYPE", "/cron"));
        assert_eq!(fault(json!({"cron": "0 0 30 2 *"})), pair("INVALID_CRON", "/cron"));
        assert_eq!(fault(json!({"cron": "* * * * * *"})), pair("INVALID_CRON", "/cron"), "too often");
        assert_eq!(fault(json!({"cron": "*/90 * * * *"})), pair("INVALID_CRON", "/cron"), "means hourly");
        let late = |jitter: u64| take(json!({"cron": "*/5 * * * * *", "jitter_ms": jitter})).1;
        assert_eq!(late(5_000), [pair("INVALID_VALUE", "/jitter_ms")], "firings would be left out");
        assert_eq!(late(4_999), []);
        let nowhere = json!({"cron": "@daily", "timezone": "Moon/Tycho"});
        assert_eq!(fault(nowhere), pair("UNKNOWN_TIMEZONE", "/timezone"));
    }
}
