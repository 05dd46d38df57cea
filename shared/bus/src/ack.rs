//! Acknowledging: what is done leaves its stream, so that a stream's length is what is still to be done.

use std::collections::BTreeMap;

use redis::Cmd;

use crate::{Bus, BusError, EntryId, scripts};

impl Bus {
    /// Acknowledges and removes entries, one script per stream, all in one pipeline. One that is gone is no fault.
    pub(crate) async fn settle_entries<'a>(
        &self,
        group: &'static str,
        entries: impl IntoIterator<Item = (String, &'a EntryId)>,
    ) -> Result<(), BusError> {
        self.send("acknowledge entries", settle_commands(group, entries)).await.map(drop)
    }
}

/// What acknowledges and removes entries, one script per stream.
pub(crate) fn settle_commands<'a>(
    group: &'static str,
    entries: impl IntoIterator<Item = (String, &'a EntryId)>,
) -> Vec<Cmd> {
    let mut by_stream: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (stream, entry) in entries {
        by_stream.entry(stream).or_default().push(entry.as_str());
    }
    let command = |(stream, ids): (String, Vec<&str>)| -> Cmd {
        let mut ack = scripts::ACK.on(&[&stream], ids.len() * 24);
        ack.arg(group).arg(ids);
        ack
    };
    by_stream.into_iter().map(command).collect()
}
