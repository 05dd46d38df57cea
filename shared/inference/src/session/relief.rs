//! Memory in need.

use millrace_contracts::ModelId;

/// Who can give memory back when a run finds none.
pub trait Relief: Send + Sync {
    /// Gives back what can be given back at once without touching `id`, and waits until it is. Whether anything was.
    fn relieve(&self, id: &ModelId) -> bool;
}

/// Nobody can.
impl Relief for () {
    fn relieve(&self, _: &ModelId) -> bool {
        false
    }
}
