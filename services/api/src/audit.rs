//! Who changed what. A change is noted in Redis before its caller is answered, and from there the writer records it; while Redis is
//! away, notes wait here, so many and no more: beyond that nothing is changed.

mod entry;
mod ledger;

pub(crate) use entry::Entry;
pub(crate) use ledger::Ledger;
