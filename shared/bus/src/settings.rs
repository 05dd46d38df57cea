//! What the bus is told once, at start. The URL may hold a password, so it never prints.

use std::fmt;

use crate::{BusError, BusTls};

/// Where the bus is and how it is divided.
#[derive(Clone)]
pub struct BusSettings {
    /// `redis://[user:password@]host:port[/db]`, the same with `rediss://` for TLS, or `redis+unix:///path`.
    pub url: String,
    /// For `rediss://`.
    pub tls: BusTls,
    /// First part of every key and internal channel; `mr` unless several installations share one Redis.
    pub prefix: String,
    /// Shards of executions, 1 to 4096. Must be the same in every process of an installation.
    pub partitions: u16,
    /// The region it serves, where there are several.
    pub region: Option<String>,
}

impl BusSettings {
    /// The usual settings, with 16 partitions and the prefix `mr`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            tls: BusTls::default(),
            prefix: "mr".to_owned(),
            partitions: 16,
            region: None,
        }
    }

    /// Refuses what could never work, before anything is connected.
    pub(crate) fn check(&self) -> Result<(), BusError> {
        let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if self.prefix.is_empty() || !self.prefix.chars().all(usable) {
            return Err(BusError::Settings(format!(
                "prefix {:?} must be one or more of A-Z a-z 0-9 - _ . : (it is part of a Redis hash tag)",
                self.prefix
            )));
        }
        if !(1..=4096).contains(&self.partitions) {
            return Err(BusError::Settings(format!("partitions is {}, must be 1 to 4096", self.partitions)));
        }
        Ok(())
    }
}

impl fmt::Debug for BusSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusSettings")
            .field("url", &"***")
            .field("tls", &self.tls)
            .field("prefix", &self.prefix)
            .field("partitions", &self.partitions)
            .field("region", &self.region)
            .finish()
    }
}
