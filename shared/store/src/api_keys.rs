//! `wf_api_keys`: who may call the api. Only hashes are kept.

mod secret;

use millrace_contracts::UnixMillis;
use serde::Serialize;
use uuid::Uuid;

use crate::{Store, StoreError, json};

pub use secret::{KeyHash, KeySecret};

/// A key as it is stored: without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    /// The key's id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// Its first characters, to recognise it by.
    pub prefix: String,
    /// `run`, `read`, `admin`.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was last used, to the minute.
    pub last_used_at: Option<UnixMillis>,
    /// When it was revoked.
    pub revoked_at: Option<UnixMillis>,
}

/// A key to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// What its owner calls it.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// Of the whole key.
    pub hash: KeyHash,
    /// `run`, `read`, `admin`; at least one.
    pub scopes: Vec<String>,
}

/// Without the hash.
impl std::fmt::Debug for NewApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewApiKey")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// The stored keys.
#[derive(Debug, Clone, Copy)]
pub struct ApiKeys<'a> {
    store: &'a Store,
}

impl Store {
    /// The stored keys.
    #[must_use]
    pub fn api_keys(&self) -> ApiKeys<'_> {
        ApiKeys { store: self }
    }
}

/// A key from its row: each query has a row type of its own.
macro_rules! api_key {
    ($row:ident) => {
        ApiKey {
            id: $row.id,
            name: $row.name,
            prefix: $row.prefix,
            scopes: $row.scopes,
            created_at: $row.created_at.into(),
            last_used_at: $row.last_used_at.map(Into::into),
            revoked_at: $row.revoked_at.map(Into::into),
        }
    };
}

impl ApiKeys<'_> {
    /// Stores a key and gives its id.
    ///
    /// # Errors
    /// `Conflict` when the same key is stored already, `Data` for an unknown scope, `Unavailable`.
    pub async fn create(&self, key: &NewApiKey) -> Result<Uuid, StoreError> {
        let id = Uuid::now_v7();
        sqlx::query!(
            "insert into wf_api_keys (id, name, prefix, hash, scopes) values ($1, $2, $3, $4, $5)",
            id,
            json::plain(&key.name),
            json::plain(&key.prefix),
            key.hash.0.as_slice(),
            &key.scopes
        )
        .execute(&mut *self.store.connection().await?)
        .await?;
        Ok(id)
    }

    /// The key with this hash, unless it was revoked. Notes that it was used, once a minute at most: a write per request
    /// would make the busiest key the slowest.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn find(&self, hash: &KeyHash) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query!(
            "with used as (
                update wf_api_keys set last_used_at = now()
                where hash = $1 and revoked_at is null
                    and (last_used_at is null or last_used_at < now() - interval '1 minute')
            )
            select id, name, prefix, scopes, created_at, last_used_at from wf_api_keys
            where hash = $1 and revoked_at is null",
            hash.0.as_slice()
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?;
        Ok(row.map(|row| ApiKey {
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes,
            created_at: row.created_at.into(),
            last_used_at: row.last_used_at.map(Into::into),
            revoked_at: None,
        }))
    }

    /// The key with this id, the revoked ones too.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn get(&self, id: Uuid) -> Result<ApiKey, StoreError> {
        let row = sqlx::query!(
            "select id, name, prefix, scopes, created_at, last_used_at, revoked_at from wf_api_keys where id = $1",
            id
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?
        .ok_or(StoreError::NotFound("api key"))?;
        Ok(api_key!(row))
    }

    /// Whether any key is in force.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn any(&self) -> Result<bool, StoreError> {
        let any = sqlx::query_scalar!(
            r#"select exists (select from wf_api_keys where revoked_at is null) as "any!""#
        )
        .fetch_one(&mut *self.store.connection().await?)
        .await?;
        Ok(any)
    }

    /// All keys, newest first, the revoked ones too.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(&self, limit: u32) -> Result<Vec<ApiKey>, StoreError> {
        let rows = sqlx::query!(
            "select id, name, prefix, scopes, created_at, last_used_at, revoked_at from wf_api_keys
            order by id desc limit $1",
            i64::from(limit)
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        Ok(rows.into_iter().map(|row| api_key!(row)).collect())
    }

    /// Revokes a key; revoking it again changes nothing. The last one that may make keys stays while there are others: nobody could
    /// make or revoke one any more. Two that are revoked at the same time wait for one another.
    ///
    /// # Errors
    /// `NotFound`, `LastAdmin`, `Unavailable`.
    pub async fn revoke(&self, id: Uuid) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        let in_force = sqlx::query!(
            r#"select id, 'admin' = any(scopes) as "is_admin!" from wf_api_keys where revoked_at is null
            order by id for update"#
        )
        .fetch_all(&mut *transaction)
        .await?;
        let in_force: Vec<(Uuid, bool)> = in_force.iter().map(|key| (key.id, key.is_admin)).collect();
        if !in_force.iter().any(|(key, _)| *key == id) {
            transaction.rollback().await?;
            return self.get(id).await.map(drop);
        }
        let admins = in_force.iter().filter(|(_, is_admin)| *is_admin).count();
        if in_force.len() > 1 && admins == 1 && in_force.contains(&(id, true)) {
            return Err(StoreError::LastAdmin);
        }
        sqlx::query!("update wf_api_keys set revoked_at = now() where id = $1", id)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
