//! Who opened what stays open: an event stream outlives its request, and must not outlive the right to make it.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::{Access, Caller, Credential};
use crate::problem::Code;

/// Who opened a stream; none for a worker of this process, whose key lives as long as the process.
#[derive(Clone)]
pub(crate) struct Visitor(Option<Pass>);

/// By what a visitor came in: an api key, or none because none was asked for.
#[derive(Clone)]
struct Pass {
    access: Arc<Access>,
    key: Option<Uuid>,
}

impl Visitor {
    /// Whoever makes a request as `caller`.
    pub(crate) fn new(access: &Arc<Access>, caller: Option<&Caller>) -> Self {
        if caller.is_some_and(Caller::is_worker) {
            return Self(None);
        }
        Self(Some(Pass { access: access.clone(), key: caller.map(|caller| caller.id) }))
    }

    /// Whether the same request would be let in again. Only a sure no is one: nobody is shown out because the keys cannot be read.
    pub(crate) async fn may_stay(&self) -> bool {
        let Some(Pass { access, key }) = &self.0 else { return true };
        let Some(key) = *key else {
            return !matches!(access.is_guarded().await, Ok(true));
        };
        let found = access.caller(&Credential::Signed { key, cookie: false }).await;
        !found.is_err_and(|problem| problem.code() == Code::Unauthenticated)
    }

    /// One who may stay.
    #[cfg(test)]
    pub(crate) fn welcome() -> Self {
        Self(None)
    }
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor")
            .field("key", &self.0.as_ref().and_then(|pass| pass.key))
            .finish_non_exhaustive()
    }
}
