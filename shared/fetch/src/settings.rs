//! Bounds of fetching.

use std::time::Duration;

/// Bounds of fetching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchSettings {
    /// Hosts, names or addresses as they stand in a URL, that may be reached whatever their addresses are.
    pub allowed_hosts: Vec<String>,
    /// The setting of the operator's that these hosts come from, for messages.
    pub allowed_by: &'static str,
    /// Whether every address may be reached, private ones too.
    pub allow_private: bool,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest silence within an answer.
    pub read_timeout: Duration,
    /// Redirects that are followed.
    pub max_redirects: usize,
    /// How often a download that broke off is taken up again.
    pub retries: u32,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            allowed_by: "io.allowed_hosts",
            allow_private: false,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            max_redirects: 5,
            retries: 3,
        }
    }
}
