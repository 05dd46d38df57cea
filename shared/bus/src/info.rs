//! What the server says of itself.

use redis::Value;

use crate::{Bus, BusError, reply};

impl Bus {
    /// These sections of `INFO`, one after the other: lines of `name:value`.
    pub(crate) async fn info(&self, what: &'static str, sections: &[&str]) -> Result<String, BusError> {
        let section = |name: &&str| {
            let mut info = redis::cmd("INFO");
            info.arg(*name);
            info
        };
        let replies = self.send(what, sections.iter().map(section).collect()).await?;
        replies.into_iter().map(|reply| text(what, reply)).collect()
    }
}

fn text(what: &'static str, reply: Value) -> Result<String, BusError> {
    match reply {
        Value::VerbatimString { text, .. } => Ok(text),
        other => reply::text(what, other),
    }
}

/// The name and the value of each line.
pub(crate) fn fields(info: &str) -> impl Iterator<Item = (&str, &str)> {
    info.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()))
}
