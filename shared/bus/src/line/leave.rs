//! Runs begin and end, and the next are let in.

use millrace_contracts::{ExecutionId, UnixMillis};
use redis::Value;

use super::Admitted;
use crate::{Bus, BusError, reply, scripts};

/// Most runs admitted by one script; when there is room for more, it is asked again.
const ADMITTED_AT_ONCE: usize = 128;

impl Bus {
    /// Tells the line what was committed: runs that have begun, whose messages it need not keep any longer, and runs that
    /// have ended, whether they were under way or still waited. Hands over those who are next, and answers how many.
    /// Repeating it changes nothing.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn leave_line(&self, begun: &[ExecutionId], ended: &[ExecutionId]) -> Result<usize, BusError> {
        if begun.is_empty() && ended.is_empty() {
            return Ok(0);
        }
        self.leave_and_admit(begun, ended).await
    }

    pub(super) async fn leave_and_admit(
        &self,
        mut begun: &[ExecutionId],
        mut ended: &[ExecutionId],
    ) -> Result<usize, BusError> {
        let what = "admit the next runs";
        let mut count = 0;
        loop {
            let mut leave =
                scripts::LEAVE_LINE.on(&[&self.keys().line()], 40 * (begun.len() + ended.len()) + 128);
            leave.arg(UnixMillis::now().0).arg(ADMITTED_AT_ONCE).arg(begun.len());
            for run in std::mem::take(&mut begun).iter().chain(std::mem::take(&mut ended)) {
                leave.arg(run.to_string());
            }
            let reply = self.send(what, vec![leave]).await?.pop().unwrap_or(Value::Nil);
            let mut admitted = Vec::new();
            for run in reply::array(what, reply)? {
                let [run, message] = reply::tuple(what, run)?;
                admitted.push(Admitted::of(what, run, message)?);
            }
            let more = admitted.len() == ADMITTED_AT_ONCE;
            count += admitted.len();
            metrics::counter!("millrace_line_admitted_total", "waited" => "yes")
                .increment(admitted.len() as u64);
            self.send_admitted(admitted).await?;
            if !more {
                return Ok(count);
            }
        }
    }
}
