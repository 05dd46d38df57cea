//! Where a client wants its stream to begin.

use millrace_contracts::Fault;
use millrace_contracts::event::LogPosition;

use crate::problem::{Code, Problem};

/// Where a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// With the state so far.
    Snapshot,
    /// After an event the client has seen.
    After(LogPosition),
    /// After this `seq` of whatever epoch there is; 0 replays the whole run.
    Replay(u64),
}

impl Start {
    /// Reads `Last-Event-ID` and `?from=`. A browser that reconnects repeats the url, so the header goes first.
    /// An id that is not ours is as good as none: the client is told the state anew.
    pub(crate) fn read(last_event_id: Option<&str>, from: Option<&str>) -> Result<Self, Problem> {
        if let Some(id) = last_event_id.filter(|id| !id.is_empty()) {
            return Ok(id.parse().map_or(Self::Snapshot, Self::After));
        }
        let Some(from) = from else { return Ok(Self::Snapshot) };
        if let Ok(seq) = from.parse() {
            return Ok(Self::Replay(seq));
        }
        from.parse().map(Self::After).map_err(|_| {
            let fault = Fault::new("INVALID_VALUE", "/from", "`from` is not a place in the run's log")
                .hint("write 0 for the whole run, or the id of the last event you have seen, such as 1-17");
            Problem::fault(Code::InvalidQuery, fault)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_goes_before_the_query() {
        let at = LogPosition { epoch: 1, seq: 7 };
        assert_eq!(Start::read(None, None).unwrap(), Start::Snapshot);
        assert_eq!(Start::read(Some("1-7"), Some("0")).unwrap(), Start::After(at));
        assert_eq!(Start::read(Some("rubbish"), None).unwrap(), Start::Snapshot);
        assert_eq!(Start::read(Some(""), Some("0")).unwrap(), Start::Replay(0));
        assert_eq!(Start::read(None, Some("1-7")).unwrap(), Start::After(at));
        assert_eq!(Start::read(None, Some("x")).unwrap_err().code(), Code::InvalidQuery);
    }
}
