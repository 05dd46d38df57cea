//! Stamps of saved workflows: whoever remembers a workflow asks whether its stamp is still the same. Rule: who changes a
//! workflow renews its stamp before anybody is told of the change; a stamp that was lost comes back as another.

use std::time::Duration;

use millrace_contracts::WorkflowId;
use redis::Value;
use uuid::Uuid;

use crate::lease::milliseconds;
use crate::{Bus, BusError, reply};

/// Stamps of workflows that nobody changes are forgotten, and made anew when somebody asks.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

impl Bus {
    /// The workflow's stamp; one is made where there is none.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn workflow_stamp(&self, id: WorkflowId) -> Result<String, BusError> {
        let what = "read a workflow's stamp";
        let mut make = self.stamp(id);
        make.arg("NX");
        let mut read = redis::cmd("GET");
        read.arg(self.keys().stamp(id));
        reply::text(what, self.send(what, vec![make, read]).await?.pop().unwrap_or(Value::Nil))
    }

    /// Gives the workflow another stamp.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn renew_workflow_stamp(&self, id: WorkflowId) -> Result<(), BusError> {
        self.send("renew a workflow's stamp", vec![self.stamp(id)]).await.map(drop)
    }

    fn stamp(&self, id: WorkflowId) -> redis::Cmd {
        let mut set = redis::cmd("SET");
        set.arg(self.keys().stamp(id)).arg(Uuid::new_v4().to_string()).arg("PX").arg(milliseconds(LIFE));
        set
    }
}
