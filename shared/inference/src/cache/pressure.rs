//! How short memory is.

use std::fmt;

use serde::Serialize;

/// How short memory is: of the budget, by what models take; of the machine (or the container), by what is left of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pressure {
    /// Plenty is left.
    #[default]
    Low,
    /// Over 70 %.
    Medium,
    /// Over 85 %.
    High,
    /// Over the budget, or over 95 % of the machine: idle models are unloaded at once.
    Critical,
}

/// From here on, of both.
const MEDIUM: f64 = 0.70;
const HIGH: f64 = 0.85;
/// The budget may be used to the full; the machine may not.
const CRITICAL_BUDGET: f64 = 1.0;
const CRITICAL_MACHINE: f64 = 0.95;

impl Pressure {
    /// The pressure when models take `budget` of their budget (0 to 1) and everything together `machine` of the machine,
    /// where that is known.
    #[must_use]
    pub fn of(budget: f64, machine: Option<f64>) -> Self {
        let machine = machine.unwrap_or(0.0);
        if budget > CRITICAL_BUDGET || machine > CRITICAL_MACHINE {
            return Self::Critical;
        }
        match budget.max(machine) {
            most if most > HIGH => Self::High,
            most if most > MEDIUM => Self::Medium,
            _ => Self::Low,
        }
    }

    /// The name in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Pressure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_of_budget_and_machine_counts() {
        assert_eq!(Pressure::of(0.5, None), Pressure::Low);
        assert_eq!(Pressure::of(0.5, Some(0.8)), Pressure::Medium);
        assert_eq!(Pressure::of(1.0, Some(0.2)), Pressure::High);
        assert_eq!(Pressure::of(1.01, None), Pressure::Critical);
        assert_eq!(Pressure::of(0.1, Some(0.96)), Pressure::Critical);
    }
}
