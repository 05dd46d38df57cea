//! What keeps the server behind the bus from being one that loses nothing. Whoever runs it learns that best before it is full.

use std::fmt;

use crate::{Bus, BusError, info};

/// The oldest version that has every command of the bus.
const OLDEST: (u32, u32) = (6, 2);

/// Something that is wrong with the server, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It lacks commands.
    Old {
        /// Its version.
        version: String,
    },
    /// When its memory is full it drops keys of its own choice: runs and jobs, or what was not recorded yet.
    Evicts {
        /// Its `maxmemory-policy`.
        policy: String,
    },
    /// It is a copy of another, which can only be read.
    Replica,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = OLDEST;
        match self {
            Self::Old { version } => {
                write!(f, "Redis {version} is too old; {major}.{minor} is needed, or newer")
            }
            Self::Evicts { policy } => write!(
                f,
                "Redis drops what is still needed when its memory is full (maxmemory-policy {policy}); set it to noeviction"
            ),
            Self::Replica => write!(
                f,
                "this Redis is a replica, which cannot be written to; give the address of its primary"
            ),
        }
    }
}

impl Bus {
    /// What is wrong with the server; nothing of what it does not tell.
    ///
    /// # Errors
    /// Redis could not be reached, or refuses to tell of itself.
    pub async fn flaws(&self) -> Result<Vec<Flaw>, BusError> {
        Ok(flaws(&self.info("tell of itself", &["server", "memory", "replication"]).await?))
    }
}

fn flaws(text: &str) -> Vec<Flaw> {
    let field = |wanted: &str| info::fields(text).find(|(name, _)| *name == wanted).map(|(_, value)| value);
    let version = field("redis_version").filter(|version| is_old(version));
    // Those that drop only what expires take ends that are not recorded yet, open windows and the signs of life of workers.
    let policy = field("maxmemory_policy").filter(|policy| *policy != "noeviction");
    let bounded = field("maxmemory").is_some_and(|bytes| bytes != "0");
    let replica = field("role").is_some_and(|role| role == "slave");
    [
        version.map(|version| Flaw::Old { version: version.to_owned() }),
        policy.filter(|_| bounded).map(|policy| Flaw::Evicts { policy: policy.to_owned() }),
        replica.then_some(Flaw::Replica),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether it is older than the oldest that will do. What is no version is given the benefit of the doubt.
fn is_old(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_of_itself_is_held_against_what_is_needed() {
        let sound = "# Server\r\nredis_version:6.2.0\r\n# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\nrole:master\r\n";
        assert_eq!(flaws(sound), []);
        let expiring =
            sound.replace("maxmemory:0", "maxmemory:1048576").replace("allkeys-lru", "volatile-lru");
        assert_eq!(flaws(&expiring), [Flaw::Evicts { policy: "volatile-lru".to_owned() }]);
        assert_eq!(flaws(&expiring.replace("volatile-lru", "noeviction")), []);
        let bad =
            sound.replace("6.2.0", "6.0.16").replace("maxmemory:0", "maxmemory:1").replace("master", "slave");
        let said: Vec<String> = flaws(&bad).iter().map(Flaw::to_string).collect();
        assert_eq!(said.len(), 3);
        assert!(
            said[0].contains("6.0.16") && said[1].contains("noeviction") && said[2].contains("primary"),
            "{said:?}"
        );
        assert_eq!(flaws("redis_version:df-v1.2\r\n"), []);
        assert_eq!(flaws(""), []);
    }
}
