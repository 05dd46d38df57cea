//! Flows that began to wait while others had jobs before them, as a channel says. A hint: a worker that keeps hands free for
//! such flows looks at its queues when one calls, and now and then without.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Flows that are remembered; what is beyond is found by the next look.
const MOST: usize = 1_024;

/// Who called and was not answered yet.
#[derive(Debug, Default)]
pub struct Callers {
    flows: Mutex<BTreeSet<String>>,
    bell: Notify,
}

impl Callers {
    /// Notes that a flow waits.
    pub fn call(&self, flow: &str) {
        let mut flows = self.lock();
        if flows.len() < MOST && flows.insert(flow.to_owned()) {
            self.bell.notify_one();
        }
    }

    /// Waits until somebody calls who was not waiting already.
    pub async fn heard(&self) {
        self.bell.notified().await;
    }

    /// Whether anybody called who is not in `in_hand`, which is asked for only if somebody did.
    pub fn any_beside(&self, in_hand: impl FnOnce() -> Vec<String>) -> bool {
        let flows = self.lock();
        if flows.is_empty() {
            return false;
        }
        let in_hand = in_hand();
        flows.iter().any(|flow| !in_hand.contains(flow))
    }

    /// Forgets who called, but for those in `in_hand`: they may call in earnest when that has ended.
    pub fn answer(&self, in_hand: &[String]) {
        self.lock().retain(|flow| in_hand.contains(flow));
    }

    /// Forgets a flow whose job was taken.
    pub(super) fn served(&self, flow: &str) {
        self.lock().remove(flow);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // Added to and taken from one by one: nothing can be left half changed.
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_remembered_until_it_was_looked_for_or_served() {
        let (callers, none, one) = (Callers::default(), Vec::new, || vec!["one".to_owned()]);
        callers.call("one");
        callers.call("two");
        assert!(callers.any_beside(one));
        callers.answer(&one());
        assert!(!callers.any_beside(one) && callers.any_beside(none), "what it has in hand may end");
        callers.served("one");
        assert!(!callers.any_beside(none));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let callers = Callers::default();
        (0..=MOST).for_each(|flow| callers.call(&flow.to_string()));
        assert_eq!(callers.lock().len(), MOST);
    }
}
