//! One change in the making: who asks for what, and what came of it. Whatever becomes of the request, what may have been changed
//! is noted: when the caller goes away in the middle, the entry says so by having no status.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::{StatusCode, header};
use axum::response::Response;
use millrace_contracts::UnixMillis;
use millrace_contracts::audit::Change;
use uuid::Uuid;

use super::ledger::Place;
use crate::auth::Caller;
use crate::context::RequestContext;

/// Characters kept of what a proxy says.
const MAX_FORWARDED: usize = 200;
/// Characters kept of an address, which a caller may choose.
const MAX_TARGET: usize = 500;
/// What all addresses begin with.
const ROOT: &str = "/api/v1/";

/// A change in the making.
pub(crate) struct Entry {
    /// None once it is noted, or found to be none.
    place: Option<Place>,
    change: Change,
}

impl Entry {
    /// The entry of `request`, which asks for `action`.
    pub(crate) fn open(place: Place, action: &str, request: &Request) -> Self {
        let extensions = request.extensions();
        let caller = extensions.get::<Caller>();
        let address = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_string());
        let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
        let change = Change {
            id: Uuid::now_v7(),
            actor_id: caller.map(|caller| caller.id),
            actor: caller.map(|caller| caller.name.clone()),
            action: action.to_owned(),
            target: target(request.uri().path()),
            status: None,
            address,
            forwarded_for: forwarded.map(|text| text.chars().take(MAX_FORWARDED).collect()),
            request_id: extensions.get::<RequestContext>().map(|context| context.request_id().to_owned()),
        };
        Self { place: Some(place), change }
    }

    /// Closes it with the answer; until it is noted, the answer should wait. What was refused has changed nothing and is left out;
    /// after a fault of ours nobody knows.
    pub(crate) fn close(mut self, response: &Response) -> Option<impl Future<Output = ()> + use<>> {
        let status = response.status();
        let place = self.place.take().filter(|_| !status.is_client_error())?;
        self.change.status = Some(status.as_u16());
        // What was accepted, and goes on, is named by what was asked of it.
        let made = response.headers().get(header::LOCATION).filter(|_| status != StatusCode::ACCEPTED);
        if let Some(made) = made.and_then(|value| value.to_str().ok()) {
            self.change.target = target(made);
        }
        // Who logs in is known by the answer.
        if let Some(caller) = response.extensions().get::<Caller>() {
            (self.change.actor_id, self.change.actor) = (Some(caller.id), Some(caller.name.clone()));
        }
        self.tell();
        Some(place.note(self.change.clone().into_event(UnixMillis::now())))
    }

    /// A field, so that the audit can be taken out of the log too.
    fn tell(&self) {
        let Change { actor_id, actor, action, target, status, address, .. } = &self.change;
        tracing::info!(
            audit = true,
            key.id = actor_id.map(tracing::field::display),
            key.name = actor.as_deref(),
            action = action.as_str(),
            target = target.as_str(),
            http.status = *status,
            client.address = address.as_deref(),
            "a change was made"
        );
    }
}

/// The request was given up, with its future.
impl Drop for Entry {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        self.tell();
        drop(place.note(self.change.clone().into_event(UnixMillis::now())));
    }
}

fn target(path: &str) -> String {
    path.strip_prefix(ROOT).unwrap_or(path).chars().take(MAX_TARGET).collect()
}
