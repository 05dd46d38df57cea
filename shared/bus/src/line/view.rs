//! Who runs and who waits: what operators see, and what the door asks.

use millrace_contracts::UnixMillis;
use millrace_contracts::job::Priority;
use redis::Value;
use serde::Serialize;

use crate::{Bus, BusError, reply, scripts};

const WHAT: &str = "look at the line";

/// The line at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineView {
    /// Runs under way.
    pub running: u64,
    /// Runs that may be under way.
    pub limit: u64,
    /// Runs beyond that, of workflows that have none under way.
    pub reserve: u64,
    /// Runs that wait.
    pub waiting: u64,
    /// How long the first of them has waited, milliseconds; none when nobody waits.
    pub oldest_ms: Option<u64>,
    /// The same by priority, most urgent first.
    pub priorities: Vec<LevelOfLine>,
    /// The flows with most runs waiting, then those with most under way.
    pub flows: Vec<FlowInLine>,
}

/// One priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LevelOfLine {
    /// Which.
    pub priority: Priority,
    /// Runs that wait.
    pub waiting: u64,
    /// How long the first of them has waited, milliseconds; none when nobody waits.
    pub oldest_ms: Option<u64>,
}

/// One flow at one priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlowInLine {
    /// The workflow's id, or the digest of an unsaved definition.
    pub flow: String,
    /// The priority its runs wait at; none when none waits.
    pub priority: Option<Priority>,
    /// Runs that wait at this priority.
    pub waiting: u64,
    /// Runs under way, at any priority.
    pub running: u64,
}

impl Bus {
    /// The line, with at most `flows` flows that wait and as many that run.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn line(&self, flows: usize) -> Result<LineView, BusError> {
        let mut ask = scripts::VIEW_LINE.on(&[&self.keys().line()], 128);
        ask.arg(flows.max(1));
        let answer = self.send(WHAT, vec![ask]).await?.pop().unwrap_or(Value::Nil);
        let [running, limit, reserve, levels, waiting, busy] = reply::tuple(WHAT, answer)?;
        let now = UnixMillis::now();
        let mut view = LineView {
            running: reply::count(WHAT, running)?,
            limit: reply::count(WHAT, limit)?,
            reserve: reply::count(WHAT, reserve)?,
            ..LineView::default()
        };
        for (priority, found) in Priority::ALL.into_iter().zip(reply::array(WHAT, levels)?) {
            let [waiting, since] = reply::tuple(WHAT, found)?;
            let since = reply::text(WHAT, since)?.parse::<i64>().ok().map(UnixMillis);
            let level = LevelOfLine {
                priority,
                waiting: reply::count(WHAT, waiting)?,
                oldest_ms: since.map(|since| now.since(since)),
            };
            view.waiting += level.waiting;
            view.oldest_ms = view.oldest_ms.max(level.oldest_ms);
            view.priorities.push(level);
        }
        for found in reply::array(WHAT, waiting)? {
            view.flows.push(waiting_flow(found)?);
        }
        for found in reply::array(WHAT, busy)? {
            let [flow, running] = reply::tuple(WHAT, found)?;
            let (flow, running) = (reply::text(WHAT, flow)?, reply::count(WHAT, running)?);
            if !view.flows.iter().any(|known| known.flow == flow) {
                view.flows.push(FlowInLine { flow, priority: None, waiting: 0, running });
            }
        }
        Ok(view)
    }
}

fn waiting_flow(value: Value) -> Result<FlowInLine, BusError> {
    let [priority, flow, waiting, running] = reply::tuple(WHAT, value)?;
    let priority = reply::text(WHAT, priority)?;
    Ok(FlowInLine {
        flow: reply::text(WHAT, flow)?,
        priority: Priority::ALL.into_iter().find(|known| known.as_str() == priority),
        waiting: reply::count(WHAT, waiting)?,
        running: reply::count(WHAT, running)?,
    })
}
