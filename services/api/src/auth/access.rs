//! Who may call: the keys, remembered for a while, so that a request costs the database nothing. What was good a while ago stays
//! good while the database is away.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use millrace_config::Auth;
use millrace_store::{ApiKey, KeyHash, Store, StoreError};
use moka::future::Cache;
use uuid::Uuid;

use super::pace::Pace;
use super::{Credential, Scope, Signer};
use crate::auth::credential::unauthenticated;
use crate::problem::{Code, Problem};

/// Keys remembered.
const REMEMBERED: u64 = 10_000;
/// How long it is remembered whether there are keys at all.
const ANY_FRESH: Duration = Duration::from_secs(1);
/// While the database is away, a key that was good is taken for good this long.
const STALE: Duration = Duration::from_secs(15 * 60);
/// How long a request waits for the database to say again what it said before.
const PATIENCE: Duration = Duration::from_millis(500);

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The key.
    pub(crate) id: Uuid,
    /// What its owner calls it.
    pub(crate) name: String,
    /// The most it may do.
    pub(crate) scope: Scope,
}

/// A key by what a request shows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shown {
    Hash(KeyHash),
    Id(Uuid),
}

/// What is remembered of a key.
#[derive(Debug, Clone)]
struct Known {
    caller: Caller,
    /// When the database said that it is good.
    good: Instant,
    /// When the database was asked last.
    asked: Instant,
}

/// Who may call.
pub(crate) struct Access {
    store: Store,
    known: Cache<Shown, Arc<Known>>,
    /// Whether there are keys, and when that was so. `None` before anybody asked.
    any: Mutex<Option<(bool, Instant)>>,
    fresh: Duration,
    /// Others than this machine can reach the listener: keys are asked for whether there are any or not.
    exposed: bool,
    /// The key of this process's own workers.
    worker: Option<KeyHash>,
    pub(crate) pace: Pace,
    pub(crate) signer: Signer,
}

impl Access {
    /// Over the keys of `store`.
    pub(crate) fn new(settings: &Auth, store: Store, exposed: bool) -> Self {
        Self {
            store,
            known: Cache::new(REMEMBERED),
            any: Mutex::default(),
            fresh: settings.key_freshness,
            exposed,
            worker: None,
            pace: Pace::new(settings),
            signer: Signer::new(settings),
        }
    }

    /// The same, and workers of this process call with a key of their own.
    pub(crate) fn with_worker(self, worker: Option<KeyHash>) -> Self {
        Self { worker, ..self }
    }

    /// Whether callers have to say who they are.
    pub(crate) async fn is_guarded(&self) -> Result<bool, Problem> {
        if self.exposed {
            return Ok(true);
        }
        let last = *self.any.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((any, at)) = last
            && at.elapsed() < ANY_FRESH
        {
            return Ok(any);
        }
        let keys = self.store.api_keys();
        let any = match last {
            None => keys.any().await?,
            Some((last, at)) => {
                // The others go by the last answer meanwhile.
                *self.any.lock().unwrap_or_else(PoisonError::into_inner) = Some((last, Instant::now()));
                match tokio::time::timeout(PATIENCE, keys.any()).await {
                    Ok(Ok(any)) => any,
                    Ok(Err(_)) | Err(_) => {
                        tracing::debug!(age = ?at.elapsed(), "whether there are api keys is taken as it was");
                        last
                    }
                }
            }
        };
        *self.any.lock().unwrap_or_else(PoisonError::into_inner) = Some((any, Instant::now()));
        Ok(any)
    }

    /// Who shows `credential`.
    ///
    /// # Errors
    /// 401 for nobody, and for a key that is unknown or was revoked.
    pub(crate) async fn caller(&self, credential: &Credential) -> Result<Caller, Problem> {
        let shown = match credential {
            Credential::None => {
                return Err(unauthenticated(
                    "this server asks for an api key; send `Authorization: Bearer mr_…`",
                ));
            }
            Credential::Key(secret) if self.worker == Some(secret.hash()) => return Ok(Caller::worker()),
            Credential::Key(secret) => Shown::Hash(secret.hash()),
            Credential::Signed { key, .. } => Shown::Id(*key),
        };
        let known = self.known.get(&shown).await;
        let found = match known {
            None => {
                self.pace.unknown()?;
                self.look_up(shown).await?
            }
            Some(known) if known.asked.elapsed() < self.fresh => return Ok(known.caller.clone()),
            Some(known) => match tokio::time::timeout(PATIENCE, self.look_up(shown)).await {
                Ok(Ok(found)) => found,
                Ok(Err(_)) | Err(_) if known.good.elapsed() < STALE => {
                    let asked = Known { asked: Instant::now(), ..Known::clone(&known) };
                    self.known.insert(shown, Arc::new(asked)).await;
                    return Ok(known.caller.clone());
                }
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => {
                    return Err(Problem::new(
                        Code::DatabaseUnavailable,
                        "the api key cannot be looked up now",
                    ));
                }
            },
        };
        let Some(caller) = found else {
            self.known.invalidate(&shown).await;
            return Err(unauthenticated("the api key is unknown, or was revoked"));
        };
        let now = Instant::now();
        self.known.insert(shown, Arc::new(Known { caller: caller.clone(), good: now, asked: now })).await;
        Ok(caller)
    }

    async fn look_up(&self, shown: Shown) -> Result<Option<Caller>, StoreError> {
        let keys = self.store.api_keys();
        let found = match shown {
            Shown::Hash(hash) => keys.find(&hash).await?,
            Shown::Id(id) => match keys.get(id).await {
                Ok(key) => Some(key).filter(|key| key.revoked_at.is_none()),
                Err(StoreError::NotFound(_)) => None,
                Err(error) => return Err(error),
            },
        };
        Ok(found.and_then(Caller::of))
    }

    /// Asks the database anew: a key was made or revoked here.
    pub(crate) fn forget(&self) {
        self.known.invalidate_all();
        *self.any.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Caller {
    fn of(key: ApiKey) -> Option<Self> {
        let scope = key.scopes.iter().filter_map(|name| Scope::parse(name)).max()?;
        Some(Self { id: key.id, name: key.name, scope })
    }

    /// A worker of this process's own, whose key is in no table. It may look, which is what searching takes.
    fn worker() -> Self {
        Self { id: Uuid::nil(), name: "worker".to_owned(), scope: Scope::Read }
    }

    /// Whether it is one of this process's own workers.
    pub(super) fn is_worker(&self) -> bool {
        self.id.is_nil()
    }

    /// Whether it may do what asks for `wanted`.
    pub(crate) fn may(&self, wanted: Scope) -> Result<(), Problem> {
        if self.scope >= wanted {
            return Ok(());
        }
        let detail = format!(
            "this asks for the scope `{}`, and the api key {:?} has `{}`",
            wanted.as_str(),
            self.name,
            self.scope.as_str()
        );
        Err(Problem::new(Code::Forbidden, detail))
    }
}
