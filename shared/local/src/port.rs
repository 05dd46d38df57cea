//! Free loopback ports.

use std::net::{Ipv4Addr, TcpListener};

/// `preferred` if it is free on 127.0.0.1 (so that URLs survive a restart), any free port otherwise. Somebody else may
/// take it before it is used: callers try again.
///
/// # Errors
/// When no port can be had at all.
pub fn free_port(preferred: Option<u16>) -> std::io::Result<u16> {
    if let Some(port) = preferred
        && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
    {
        return Ok(port);
    }
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
