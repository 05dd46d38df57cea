//! The pool: how connections are made, and how long anybody waits for one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection, Executor};

use crate::outage::Outage;
use crate::{Prices, StoreError};

/// A connection that was given back less than this ago is used without asking whether it still is one.
const TRUSTED: Duration = Duration::from_secs(1);
/// How long an idempotency key is good for, where nothing else is said.
const IDEMPOTENCY_WINDOW: Duration = Duration::from_secs(24 * 3_600);
/// Longer than any run is kept, and an interval that Postgres knows.
const IDEMPOTENCY_WINDOW_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// Where the database is and how it is used.
#[derive(Clone)]
pub struct StoreSettings {
    /// `postgres://user:password@host:port/database`.
    pub url: String,
    /// Connections this process may hold.
    pub max_connections: u32,
    /// Longest wait for a connection; an absent server is reported after this.
    pub acquire_timeout: Duration,
    /// Longest a statement may run; the server's own limit when none. Migrations are exempt.
    pub statement_timeout: Option<Duration>,
    /// The schema of the tables; the connection's own default when none. Made by `migrate` where it is missing.
    pub schema: Option<String>,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
}

impl StoreSettings {
    /// The usual settings for the database at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Some(Duration::from_secs(30)),
            schema: None,
            application_name: "millrace".to_owned(),
        }
    }
}

/// Without the url: it may hold a password.
impl fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSettings")
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// The record. Cheap to clone; clones share the pool.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
    pub(crate) prices: Arc<Prices>,
    pub(crate) outage: Arc<Outage>,
    pub(crate) schema: Option<String>,
    pub(crate) idempotency_window: Duration,
}

impl Store {
    /// A store over a pool that connects when it is first used, so that a role can start while Postgres is away.
    ///
    /// # Errors
    /// `Settings` when the url does not parse or the schema's name is not a plain identifier.
    pub fn connect(settings: &StoreSettings) -> Result<Self, StoreError> {
        // The parser's own message may quote the url, and with it the password.
        let mut options = PgConnectOptions::from_str(&settings.url).map_err(|_| {
            StoreError::Settings(
                "the url must look like postgres://user:password@host:port/database".to_owned(),
            )
        })?;
        options = options.application_name(&settings.application_name);
        if let Some(schema) = &settings.schema {
            check_identifier(schema)?;
            options = options.options([("search_path", schema)]);
        }
        if let Some(timeout) = settings.statement_timeout {
            options = options.options([("statement_timeout", timeout.as_millis().to_string())]);
        }
        let pool = PgPoolOptions::new()
            .max_connections(settings.max_connections)
            .acquire_timeout(settings.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, metadata| Box::pin(is_there(connection, metadata.idle_for)))
            .after_connect(|connection, _| Box::pin(async move { insist_on_durability(connection).await }))
            .connect_lazy_with(options);
        Ok(Self {
            pool,
            prices: Arc::default(),
            outage: Arc::default(),
            schema: settings.schema.clone(),
            idempotency_window: IDEMPOTENCY_WINDOW,
        })
    }

    /// The same store; what it records from now on costs this.
    #[must_use]
    pub fn with_prices(self, prices: Prices) -> Self {
        Self { prices: Arc::new(prices), ..self }
    }

    /// The same store; an idempotency key is good for so long. A day where nothing is said.
    #[must_use]
    pub fn with_idempotency_window(self, window: Duration) -> Self {
        Self { idempotency_window: window.min(IDEMPOTENCY_WINDOW_MAX), ..self }
    }

    /// A round trip.
    ///
    /// # Errors
    /// `Unavailable` when there is none within the acquire timeout.
    pub async fn ping(&self) -> Result<Duration, StoreError> {
        let begun = Instant::now();
        sqlx::query_scalar!("select 1").fetch_one(&mut *self.connection().await?).await?;
        Ok(begun.elapsed())
    }

    /// Closes the pool, waiting for calls in flight.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// What was used a moment ago is taken to be there: it was asked when it was given back. Asking again before every statement costs
/// as much as a small one.
async fn is_there(connection: &mut PgConnection, idle: Duration) -> Result<bool, sqlx::Error> {
    if idle >= TRUSTED {
        connection.ping().await?;
    }
    Ok(true)
}

/// Commits answered before they are on the disk would break "accepted means durable", and events acknowledged in Redis would
/// be lost with the server. A server that is stricter still (`remote_apply`) stays so.
async fn insist_on_durability(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let sql = "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";
    connection.execute(sql).await.map(drop)
}

fn check_identifier(name: &str) -> Result<(), StoreError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if (1..=63).contains(&name.len())
        && name.chars().all(plain)
        && !name.starts_with(|c: char| c.is_ascii_digit())
    {
        return Ok(());
    }
    Err(StoreError::Settings(format!("schema {name:?} must match [a-z_][a-z0-9_]{{0,62}}")))
}
