//! Whether Postgres is away. Every statement takes its connection here. Whoever waits for one for longer than usual looks whether
//! there is a Postgres at all; while there is none, all are told at once, and from time to time one of them looks again. So an
//! outage costs each caller a moment and not the pool's patience, which is for connections that others use.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPool;
use sqlx::{Connection, PgConnection, Postgres, SqlSafeStr, Transaction};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::{Store, StoreError};

/// A connection that is to be had is had sooner.
const PROMPT: Duration = Duration::from_millis(250);
/// Longest a look takes. One who is busy takes his time over a new connection, and is there all the same.
const LOOK: Duration = Duration::from_secs(3);
/// Pause between looks.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Whether Postgres was there; else why not.
type Seen = Result<(), Arc<str>>;

/// What is known of an outage; shared by the clones of a store.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    is_away: AtomicBool,
    /// When somebody looked last, and whether Postgres was there, or else why not. One looks for all.
    looked: Mutex<Option<(Instant, Seen)>>,
}

impl Store {
    /// Whether Postgres was away when somebody looked last.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.outage.is_away.load(Ordering::Relaxed)
    }

    /// A connection, for one statement or some.
    pub(crate) async fn connection(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        self.unless_away(Box::pin(self.pool.acquire())).await
    }

    /// A connection that is waited for with the pool's patience, as for a server that has just been started.
    pub(crate) async fn patient_connection(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        match Box::pin(self.pool.acquire()).await {
            // The pool does not say why its attempts failed.
            Err(sqlx::Error::PoolTimedOut) => {
                Box::pin(see(&self.pool)).await.map_err(|why| away(&why))?;
                Err(sqlx::Error::PoolTimedOut.into())
            }
            taken => Ok(taken?),
        }
    }

    /// A transaction.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.unless_away(Box::pin(self.pool.begin())).await
    }

    /// A transaction that begins with this statement.
    pub(crate) async fn begin_with(
        &self,
        statement: impl SqlSafeStr,
    ) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.unless_away(Box::pin(self.pool.begin_with(statement))).await
    }

    /// What `take` takes out of the pool. Boxed by its caller: it is large, and would be in the future of every call.
    async fn unless_away<T>(
        &self,
        mut take: impl Future<Output = Result<T, sqlx::Error>> + Unpin,
    ) -> Result<T, StoreError> {
        if self.is_away() {
            self.look_if_due().await?;
        }
        match timeout(PROMPT, &mut take).await {
            Ok(taken) => Ok(taken?),
            // All connections are in use, or there is no Postgres to connect to.
            Err(_) => {
                self.seen_now().await.map_err(|why| away(&why))?;
                Ok(take.await?)
            }
        }
    }

    /// Whether Postgres is there now. Nobody waits for another's look.
    async fn look_if_due(&self) -> Result<(), StoreError> {
        let seen = match self.outage.looked.try_lock() {
            Ok(last) => match &*last {
                Some((at, seen)) if at.elapsed() < LOOK_AGAIN => Some(seen.clone()),
                _ => None,
            },
            Err(_) => return Err(away("it is being looked for again")),
        };
        let seen = match seen {
            Some(seen) => seen,
            None => self.seen_now().await,
        };
        seen.map_err(|why| away(&why))
    }

    /// Looks whether Postgres is there, for who does not wait for it.
    pub(crate) async fn look(&self) {
        drop(self.seen_now().await);
    }

    /// Whether Postgres is there, as of the last moment.
    async fn seen_now(&self) -> Seen {
        let mut last = self.outage.looked.lock().await;
        if let Some((at, seen)) = &*last
            && at.elapsed() < LOOK_AGAIN
        {
            return seen.clone();
        }
        // Boxed like what is taken.
        let seen = Box::pin(see(&self.pool)).await;
        let is_there = seen.is_ok();
        let was_away = self.outage.is_away.swap(!is_there, Ordering::Relaxed);
        match &seen {
            Ok(()) if was_away => tracing::info!("Postgres is back"),
            Err(error) if !was_away => {
                tracing::warn!(%error, "Postgres is away; whoever needs it is told at once until it is back");
            }
            _ => {}
        }
        *last = Some((Instant::now(), seen.clone()));
        seen
    }
}

/// Looks whether somebody answers a connection of our own; else why not. One who refuses it is there, unless he is about to come
/// or go.
async fn see(pool: &PgPool) -> Seen {
    let options = pool.connect_options();
    match timeout(LOOK, PgConnection::connect_with(&options)).await {
        Ok(Ok(connection)) => {
            // It has said enough, however it takes its end.
            drop(timeout(LOOK, connection.close()).await);
            Ok(())
        }
        Ok(Err(sqlx::Error::Database(refusal)))
            if !refusal.code().is_some_and(|code| code.starts_with("57")) =>
        {
            Ok(())
        }
        // Without sqlx's own words, which `away` brings.
        Ok(Err(sqlx::Error::Io(error))) => Err(error.to_string().into()),
        Ok(Err(error)) => Err(error.to_string().into()),
        Err(_) => Err(format!("no answer within {LOOK:?}").into()),
    }
}

fn away(why: &str) -> StoreError {
    let told = format!("Postgres was away a moment ago: {why}");
    StoreError::Unavailable(sqlx::Error::Io(io::Error::new(io::ErrorKind::NotConnected, told)))
}
