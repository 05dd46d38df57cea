//! The api's listener.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be taken; the system's own bound (Linux: `net.core.somaxconn`, 4,096) holds too. Clients that
/// all come back at once, after a restart, wait here instead of being dropped.
const BACKLOG: u32 = 4_096;

/// Listens on `address`.
///
/// # Errors
/// The system's, such as an address that is taken.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
