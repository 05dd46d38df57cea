//! From the log to the topic: what waits there may be older than what the client has.

use std::sync::Arc;

use tokio::sync::broadcast::error::TryRecvError;

use super::{Phase, RunStream};
use crate::live::frame::Frame;
use crate::live::history::RunLog;
use crate::live::subscription::Signal;

impl<L: RunLog> RunStream<L> {
    /// Goes live. The topic is in the order of publication, so whatever stands before a durable event that the client has
    /// is old as well: a `node.started` must not come after the `node.completed` that a snapshot already told of.
    pub(super) fn settle(&mut self) {
        self.phase = Phase::Live;
        let mut waiting: Vec<Arc<Frame>> = Vec::new();
        loop {
            match self.topic.receiver().try_recv() {
                Ok(Signal::Frame(frame)) => {
                    if frame.position.is_some_and(|position| position <= self.at) {
                        waiting.clear();
                    } else {
                        waiting.push(frame);
                    }
                }
                // It may have been said after the log was read.
                Ok(Signal::Resync) => return self.look(),
                Err(TryRecvError::Lagged(missed)) => {
                    if self.lag.is_too_slow(missed) {
                        return self.say_lagged(missed);
                    }
                    self.phase = Phase::CatchUp;
                    return;
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        self.lag.caught_up();
        for frame in waiting {
            self.on_frame(&frame);
            if self.phase != Phase::Live {
                return;
            }
        }
    }
}
