//! Pictures of a chain that are encoded and stored while the next job works on their pixels. Until it is stored a picture goes
//! by a name that nobody outside hears: only a job that reads a single picture and nothing else is given one, and before
//! anything is reported every such name is replaced by that of what is stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use millrace_contracts::{BlobId, JobError};
use millrace_vision::Frame;
use serde_json::Value;

use super::Outputs;

/// The encoding and storing of a picture; gives what it is stored as.
pub(crate) type Developing = BoxFuture<'static, Result<BlobId, JobError>>;

/// A picture that was left to be developed, under a name for the time being.
pub(super) struct Left {
    pub(super) name: BlobId,
    pub(super) developing: Developing,
}

/// What the jobs of a chain share.
#[derive(Default)]
struct Darkroom {
    at_hand: HashMap<BlobId, Frame>,
    left: Vec<Left>,
}

/// A job's way into the darkroom of its chain. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Door {
    room: Arc<Mutex<Darkroom>>,
    /// Whether the job may leave pictures there.
    open: bool,
}

impl Door {
    /// The same room, and whether pictures may be left there now.
    pub(super) fn opened(&self, open: bool) -> Self {
        Self { room: Arc::clone(&self.room), open }
    }

    /// Whether pictures may be left.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Leaves a picture; gives its name for the time being.
    pub(crate) fn leave(&self, frame: Frame, developing: Developing) -> BlobId {
        let name = BlobId::of(uuid::Uuid::new_v4().as_bytes());
        let mut room = self.lock();
        room.at_hand.insert(name, frame);
        room.left.push(Left { name, developing });
        name
    }

    /// The pixels of a picture that was left.
    pub(crate) fn frame(&self, name: BlobId) -> Option<Frame> {
        self.lock().at_hand.get(&name).cloned()
    }

    /// What was left since it was asked for last.
    pub(super) fn take(&self) -> Vec<Left> {
        std::mem::take(&mut self.lock().left)
    }

    /// Lets go of the pixels of a picture that is developed.
    pub(super) fn forget(&self, name: BlobId) {
        self.lock().at_hand.remove(&name);
    }

    fn lock(&self) -> MutexGuard<'_, Darkroom> {
        // Each change is a single one: nothing under the lock can leave the room half changed.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls a picture by what it is stored as, wherever it is named.
pub(super) fn rename(outputs: &mut Outputs, name: BlobId, stored: BlobId) {
    let (name, stored) = (name.to_string(), stored.to_string());
    outputs.values_mut().for_each(|value| replace(value, &name, &stored));
}

fn replace(value: &mut Value, name: &str, stored: &str) {
    match value {
        Value::String(text) if text == name => stored.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, name, stored)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, name, stored)),
        _ => {}
    }
}
