//! A place at a topic. Dropping the last one removes the topic.

use std::sync::Arc;

use millrace_contracts::ExecutionId;
use tokio::sync::broadcast::Receiver;

use super::frame::Frame;
use super::hub::Hub;

/// What a topic says.
#[derive(Debug, Clone)]
pub(crate) enum Signal {
    /// An event.
    Frame(Arc<Frame>),
    /// Events may have been missed: read the log again.
    Resync,
}

/// A place at a run's topic.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    run: ExecutionId,
    /// Taken only on drop, so that the hub can count who is left.
    receiver: Option<Receiver<Signal>>,
}

impl Subscription {
    pub(super) fn new(hub: Arc<Hub>, run: ExecutionId, receiver: Receiver<Signal>) -> Self {
        Self { hub, run, receiver: Some(receiver) }
    }

    /// The run.
    pub(crate) fn run(&self) -> ExecutionId {
        self.run
    }

    /// The topic's end of it.
    pub(crate) fn receiver(&mut self) -> &mut Receiver<Signal> {
        self.receiver.as_mut().expect("the receiver is there until the drop")
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.receiver = None;
        self.hub.leave(self.run);
    }
}
