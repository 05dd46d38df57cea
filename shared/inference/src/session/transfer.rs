//! How inputs and outputs cross between a session and its callers, and the one place that decides it.

use millrace_contracts::ModelId;
use ort::session::{RunOptions, Session};

use super::bound::Bound;
use super::exchange::Fault;
use super::feed::Feed;
use super::{SessionSettings, plain};
use crate::graph::GraphPort;
use crate::{Device, Tensor};

/// How inputs and outputs cross between a session and its callers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transfer {
    /// Bound on a GPU, plain on the processor.
    #[default]
    ByDevice,
    /// The session is lent our memory, and gives its own.
    Plain,
    /// Inputs and outputs are bound to memory that the device reads and writes by itself. On the processor it is the
    /// session's own, which gains nothing; it is there for tests and measurements.
    Bound,
}

/// What was decided, with what it needs.
pub(super) enum Way {
    Plain,
    Bound(Box<Bound>),
}

impl Way {
    pub(super) fn open(
        id: &ModelId,
        session: &Session,
        settings: &SessionSettings,
    ) -> Result<Self, ort::Error> {
        let bound = match (settings.transfer, settings.device) {
            (Transfer::Plain, _) | (Transfer::ByDevice, Device::Cpu) => false,
            (Transfer::Bound, _) | (Transfer::ByDevice, Device::Cuda(_) | Device::TensorRt(_)) => true,
        };
        if !bound {
            return Ok(Self::Plain);
        }
        Bound::open(id, session, settings.device).map(Box::new).map(Self::Bound)
    }

    /// One run.
    pub(super) fn run(
        &mut self,
        session: &mut Session,
        ports: &[GraphPort],
        feed: &Feed<'_>,
        options: &RunOptions,
    ) -> Result<Vec<Tensor>, Fault> {
        match self {
            Self::Plain => plain::run(session, ports, feed, options),
            Self::Bound(bound) => bound.run(session, ports, feed, options),
        }
    }

    /// Gives back what is kept for the next run only.
    pub(super) fn release(&mut self) {
        if let Self::Bound(bound) = self {
            bound.release();
        }
    }

    /// Bytes taken beyond what the session's arena on `device` counts.
    pub(super) fn bytes(&self, session: &Session, device: Device) -> u64 {
        match self {
            Self::Plain => 0,
            Self::Bound(bound) => bound.bytes(session, device),
        }
    }
}
