//! `[cost]`: what the fleet costs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the fleet costs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cost {
    /// Price of one worker for one hour, by the pool it serves, in your currency, such as
    /// prices = { fast = 2.40, cpu = 0.12 }
    /// A job costs its share of its worker's time, a run what its jobs cost, and an idle worker costs too. What has no price
    /// is not counted. A new price holds for what is recorded from then on.
    pub prices: BTreeMap<String, f64>,
}
