//! Why nothing happens: while no event of a run comes, its page tells whether its jobs wait for workers that are not there.

use millrace_contracts::ExecutionId;

use crate::client::Client;
use crate::render::unserved;

/// What was said of one run so far.
pub(super) struct Doubt<'a> {
    client: &'a Client,
    run: ExecutionId,
    told: Option<String>,
}

impl<'a> Doubt<'a> {
    pub(super) fn new(client: &'a Client, run: ExecutionId) -> Self {
        Self { client, run, told: None }
    }

    /// What there is to say now; the same is not said twice in a row.
    pub(super) async fn look(&mut self) -> Option<String> {
        // An api that does not answer is noticed by who reads its events.
        let page = self.client.get(&format!("/executions/{}", self.run), &[]).await.ok()?;
        let reason = unserved(&page);
        if reason == self.told {
            return None;
        }
        self.told.clone_from(&reason);
        reason
    }
}
