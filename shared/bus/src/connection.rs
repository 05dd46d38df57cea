//! Connections. One managed connection carries all commands and reconnects by itself; each blocking reader has its
//! own. A broken command is sent once more: every command of the bus may be repeated safely.

use std::io;
use std::time::Duration;

use redis::aio::{
    AsyncPushSender, ConnectionLike, ConnectionManager, ConnectionManagerConfig, MultiplexedConnection,
};
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{
    AsyncConnectionConfig, Client, Cmd, IntoConnectionInfo, Pipeline, ProtocolVersion, PushInfo, RedisError,
    ServerErrorKind, Value,
};
use tokio::sync::mpsc::UnboundedSender;

use crate::{Bus, BusError, BusTls, scripts};

/// A connection attempt may take so long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A command may take so long to answer; blocking reads add the time they block.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// First pause between attempts to connect; doubles up to [`BACKOFF_MAX`].
pub(crate) const BACKOFF_MIN: Duration = Duration::from_millis(20);
/// Longest pause between attempts to connect.
pub(crate) const BACKOFF_MAX: Duration = Duration::from_millis(500);
/// Attempts before commands that wait for the connection fail: about four seconds in all.
const CONNECT_ATTEMPTS: usize = 12;
/// A silent peer is probed after this time, and given up after [`UNACKNOWLEDGED`].
const KEEPALIVE: Duration = Duration::from_secs(5);
/// Sent bytes may stay unacknowledged so long before the connection counts as broken.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// A client for `url`. RESP3, because then a lost connection is noticed before the next command.
pub(crate) fn client(url: &str, tls: &BusTls) -> Result<Client, BusError> {
    let refused = |error: RedisError| BusError::Settings(format!("the Redis URL cannot be used: {error}"));
    let info = url.into_connection_info().map_err(refused)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
    let tcp = info.tcp_settings().clone().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(UNACKNOWLEDGED);
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let info = info.set_tcp_settings(tcp).set_redis_settings(redis);
    match tls.read()? {
        Some(certificates) => Client::build_with_tls(info, certificates).map_err(refused),
        None => Client::open(info).map_err(refused),
    }
}

/// The connection for commands.
pub(crate) async fn manager(client: Client) -> Result<ConnectionManager, BusError> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_min_delay(BACKOFF_MIN)
        .set_max_delay(BACKOFF_MAX)
        .set_number_of_retries(CONNECT_ATTEMPTS)
        .set_pipeline_buffer_size(512);
    client.get_connection_manager_with_config(config).await.map_err(|source| BusError::Connect { source })
}

/// A connection of one's own, for commands that block or for subscriptions. The caller sets the time limits.
pub(crate) async fn dedicated(
    client: &Client,
    pushes: Option<impl AsyncPushSender>,
) -> Result<MultiplexedConnection, RedisError> {
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_TIMEOUT)).set_response_timeout(None);
    let config = match pushes {
        Some(pushes) => config.set_push_sender(pushes),
        None => config,
    };
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// One attempt to connect and to be answered.
pub(crate) async fn once(client: &Client) -> Result<(), RedisError> {
    let mut connection = dedicated(client, None::<UnboundedSender<PushInfo>>).await?;
    // Some learn only from the first answer that the other end has hung up.
    let ping = redis::cmd("PING");
    let answered = tokio::time::timeout(RESPONSE_TIMEOUT, ping.exec_async(&mut connection)).await;
    answered.unwrap_or_else(|_| Err(timed_out()))
}

/// Nothing came in time.
pub(crate) fn timed_out() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

impl Bus {
    /// Sends `commands` in one pipeline; the first refusal among the replies is the error.
    pub(crate) async fn send(&self, what: &'static str, commands: Vec<Cmd>) -> Result<Vec<Value>, BusError> {
        let replies = self.exchange(what, commands).await?;
        replies.into_iter().map(|reply| reply.extract_error().map_err(BusError::redis(what))).collect()
    }

    /// Sends `commands` in one pipeline; refusals stand among the replies as [`Value::ServerError`]. Scripts the
    /// server has forgotten are loaded again and just the commands that missed them repeated.
    pub(crate) async fn exchange(
        &self,
        what: &'static str,
        commands: Vec<Cmd>,
    ) -> Result<Vec<Value>, BusError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let pipeline = pipeline_of(commands);
        let mut replies = self.round_trip(&pipeline).await.map_err(BusError::redis(what))?;
        let missed: Vec<usize> = (0..replies.len()).filter(|at| is_noscript(&replies[*at])).collect();
        if missed.is_empty() {
            return Ok(replies);
        }
        self.load_scripts().await?;
        let again = pipeline.cmd_iter().enumerate().filter(|(at, _)| missed.binary_search(at).is_ok());
        let again = pipeline_of(again.map(|(_, command)| command.clone()).collect());
        let repeated = self.round_trip(&again).await.map_err(BusError::redis(what))?;
        for (at, reply) in missed.into_iter().zip(repeated) {
            replies[at] = reply;
        }
        Ok(replies)
    }

    /// Loads every script. Redis forgets them when it restarts.
    pub(crate) async fn load_scripts(&self) -> Result<(), BusError> {
        let replies = self.round_trip(&pipeline_of(scripts::load_commands())).await;
        let replies = replies.map_err(BusError::redis("load the bus's scripts"))?;
        for reply in replies {
            reply.extract_error().map_err(BusError::redis("load the bus's scripts"))?;
        }
        Ok(())
    }

    /// One pipeline; once more when the connection broke, by when the manager is connecting anew.
    async fn round_trip(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RedisError> {
        let mut connection = self.commands();
        match connection.req_packed_commands(pipeline, 0, pipeline.len()).await {
            Err(error) if error.is_connection_dropped() => {
                metrics::counter!("millrace_bus_reconnects_total", "connection" => "commands").increment(1);
                tracing::warn!(%error, "the connection to Redis broke; reconnecting");
                connection.req_packed_commands(pipeline, 0, pipeline.len()).await
            }
            result => result,
        }
    }
}

fn pipeline_of(commands: Vec<Cmd>) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(commands.len());
    for command in commands {
        pipeline.add_command(command);
    }
    pipeline
}

fn is_noscript(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript))
}
