//! Runs begin, rest, go on and end, and the next are let in.

use millrace_contracts::{ExecutionId, Flow, UnixMillis};
use redis::{Cmd, Value};

use super::Admitted;
use crate::{Bus, BusError, reply, scripts};

/// Most runs admitted by one script; when there is room for more, it is asked again.
const ADMITTED_AT_ONCE: usize = 128;

/// What was committed, as far as the line is concerned. Telling it again changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineNews {
    /// Runs that have begun: their messages need not be kept any longer.
    pub begun: Vec<ExecutionId>,
    /// Runs that have ended, whether they were under way or still waited.
    pub ended: Vec<ExecutionId>,
    /// Runs that only wait for time: they do not count until they go on.
    pub resting: Vec<ExecutionId>,
    /// Runs that go on. They count again even beyond the limit, since what they have begun is not put off; nobody is
    /// admitted meanwhile.
    pub going_on: Vec<(ExecutionId, Flow)>,
}

impl LineNews {
    fn is_empty(&self) -> bool {
        let Self { begun, ended, resting, going_on } = self;
        begun.is_empty() && ended.is_empty() && resting.is_empty() && going_on.is_empty()
    }
}

impl Bus {
    /// Tells the line what was committed. Hands over those who are next, and answers how many.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn leave_line(&self, news: &LineNews) -> Result<usize, BusError> {
        if news.is_empty() {
            return Ok(0);
        }
        self.leave_and_admit(news).await
    }

    pub(super) async fn leave_and_admit(&self, news: &LineNews) -> Result<usize, BusError> {
        let what = "admit the next runs";
        let nothing = LineNews::default();
        let (mut news, mut count) = (news, 0);
        loop {
            let leave = self.leave_command(std::mem::replace(&mut news, &nothing));
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
    fn leave_command(&self, news: &LineNews) -> Cmd {
        let LineNews { begun, ended, resting, going_on } = news;
        let bytes = 40 * (begun.len() + ended.len() + resting.len()) + 80 * going_on.len() + 128;
        let mut leave = scripts::LEAVE_LINE.on(&[&self.keys().line()], bytes);
        leave.arg(UnixMillis::now().0).arg(ADMITTED_AT_ONCE);
        leave.arg(begun.len()).arg(ended.len()).arg(resting.len());
        for run in begun.iter().chain(ended).chain(resting) {
            leave.arg(run.to_string());
        }
        for (run, flow) in going_on {
            leave.arg(run.to_string()).arg(&flow.id);
        }
        leave
    }
}
