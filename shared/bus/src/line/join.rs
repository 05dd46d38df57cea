//! A run comes in: past the line while there is room, into it otherwise.

use millrace_contracts::message::{Accepted, Message};
use millrace_contracts::{Flow, UnixMillis};
use redis::{Cmd, Value};

use super::Admitted;
use crate::execute::message_json;
use crate::{Bus, BusError, reply, scripts};

const WHAT: &str = "hand over a run";

impl Bus {
    /// Lets a run in, in one round trip with `before`; one that is admitted at once goes to its inbox in a second.
    pub(crate) async fn join_line(&self, accepted: &Accepted, before: Cmd) -> Result<(), BusError> {
        let run = accepted.execution_id;
        let message = message_json(&Message::Execute(Box::new(accepted.clone())))?;
        let flow = Flow::of(accepted);
        let mut join = scripts::JOIN_LINE.on(&[&self.keys().line()], message.len() + 256);
        join.arg(UnixMillis::now().0).arg(run.to_string()).arg(accepted.priority.as_str());
        join.arg(flow.id).arg(flow.weight).arg(&message);
        let admitted = self.send(WHAT, vec![before, join]).await?.pop().unwrap_or(Value::Nil);
        if reply::integer(WHAT, admitted)? == 1 {
            metrics::counter!("millrace_line_admitted_total", "waited" => "no").increment(1);
            self.send_admitted(vec![Admitted { run, message }]).await?;
        }
        Ok(())
    }
}
