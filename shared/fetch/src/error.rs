//! Why something was not fetched.

use std::io;

/// Why something was not fetched. No text repeats a URL's query, which may hold a signature.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The text is no address that is fetched.
    #[error("{0}; write http://… or https://… without user and password")]
    Address(String),
    /// The address is not one that users may reach.
    #[error(
        "{host} is at {address}, which is not a public address; an operator allows it by adding the host to \
         `{allowed_by}`"
    )]
    Forbidden {
        /// The host.
        host: String,
        /// Its address.
        address: std::net::IpAddr,
        /// The setting that would allow it.
        allowed_by: &'static str,
    },
    /// The name has no address, or the server did not answer, or broke off. Trying again may help.
    #[error("{host} could not be reached: {detail}")]
    Network {
        /// The host.
        host: String,
        /// What went wrong.
        detail: String,
    },
    /// The server answered something else.
    #[error("{host} answered {status}")]
    Status {
        /// The host.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// Too many redirects.
    #[error("{host} redirects more than {most} times")]
    Redirects {
        /// The host.
        host: String,
        /// The bound.
        most: usize,
    },
    /// More bytes than may be fetched.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The bound, bytes.
        limit: u64,
    },
    /// Other bytes than were announced.
    #[error("its SHA-256 is {found}, not {wanted}")]
    Digest {
        /// What was asked for, hex.
        wanted: String,
        /// What came, hex.
        found: String,
    },
    /// Another number of bytes than was announced.
    #[error("it has {found} bytes, not {wanted}")]
    Size {
        /// What was announced.
        wanted: u64,
        /// What came.
        found: u64,
    },
    /// A source other than an address failed.
    #[error("{detail}")]
    Store {
        /// What went wrong, where, and what to do.
        detail: String,
        /// Whether trying again may help.
        passing: bool,
    },
    /// The disk.
    #[error("the file could not be kept: {0}")]
    Disk(#[from] io::Error),
}

impl FetchError {
    /// Whether trying again may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Network { .. } => true,
            Self::Store { passing, .. } => *passing,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}
