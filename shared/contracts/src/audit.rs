//! Who changed what: what the api says of every change, and the writer records.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::Source;
use crate::{Event, EventType, UnixMillis};

/// A change that was made, or of which it is not known whether it was: the `data` of `audit:changed`. Nothing of what was sent is
/// in it, so that no secret is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// UUIDv7.
    pub id: Uuid,
    /// The api key that asked for it; none where no key was asked for.
    pub actor_id: Option<Uuid>,
    /// What that key was called then.
    pub actor: Option<String>,
    /// The operation's name in the OpenAPI document, such as `create_key`.
    pub action: String,
    /// The address below `/api/v1`, such as `keys/0199…`: of what was made, if something was.
    pub target: String,
    /// The answer's status; none when the caller went before there was one.
    pub status: Option<u16>,
    /// Who was connected: an IP address.
    pub address: Option<String>,
    /// Whom a proxy said that it speaks for. Nobody has verified it.
    pub forwarded_for: Option<String>,
    /// The request's id, as the log and the answer have it.
    pub request_id: Option<String>,
}

impl Change {
    /// The event that brings it to the writer.
    #[must_use]
    pub fn into_event(self, at: UnixMillis) -> Event {
        let id = self.id.to_string();
        let data = serde_json::to_value(self).expect("a change is plain data");
        Event::new(EventType::AuditChanged, Source::Api, id, at, data)
    }
}
