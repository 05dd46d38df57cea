//! `wf_workflows` and `wf_workflow_versions`: saved definitions. A version is never changed; a run pins one.

use millrace_contracts::{BlobId, UnixMillis, WorkflowId};
use serde_json::Value;
use sqlx::PgConnection;

use crate::{Definition, Store, StoreError, blob_uses, definitions, json};

/// A workflow at one of its versions.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowRecord {
    /// The workflow.
    pub id: WorkflowId,
    /// Its name at the latest version.
    pub name: String,
    /// The version that this is.
    pub version: u32,
    /// The newest version there is.
    pub latest_version: u32,
    /// The definition's blob.
    pub definition_blob: BlobId,
    /// The definition, keys in the order in which they were sent.
    pub definition: Value,
    /// When the workflow was made.
    pub created_at: UnixMillis,
    /// When its newest version was.
    pub updated_at: UnixMillis,
}

/// A workflow in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowSummary {
    /// The workflow.
    pub id: WorkflowId,
    /// Its name.
    pub name: String,
    /// The newest version.
    pub version: u32,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When its newest version was.
    pub updated_at: UnixMillis,
}

/// What there is of a saved workflow that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// The definition, and its version.
    Found(u32, Value),
    /// There never was such a workflow.
    Unknown,
    /// It was deleted.
    Deleted,
    /// It has no such version.
    UnknownVersion,
    /// With this one, the definitions that were asked for are too large.
    TooLarge,
}

/// One version in the list of a workflow's versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowVersion {
    /// From 1.
    pub version: u32,
    /// The definition's blob.
    pub definition_blob: BlobId,
    /// When it was made.
    pub created_at: UnixMillis,
}

/// What a version is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct NewWorkflow {
    /// 1 to 200 characters.
    pub name: String,
    /// The definition.
    pub definition: Definition,
}

/// The saved workflows.
#[derive(Debug, Clone, Copy)]
pub struct Workflows<'a> {
    store: &'a Store,
}

impl Store {
    /// The saved workflows.
    #[must_use]
    pub fn workflows(&self) -> Workflows<'_> {
        Workflows { store: self }
    }
}

impl Workflows<'_> {
    /// Saves a new workflow as version 1.
    ///
    /// # Errors
    /// `Conflict` when the id is taken, `Data` when the name is empty or too long, `Unavailable`.
    pub async fn create(&self, id: WorkflowId, new: &NewWorkflow) -> Result<WorkflowRecord, StoreError> {
        let mut transaction = self.store.begin().await?;
        let row = sqlx::query!(
            "insert into wf_workflows (id, name) values ($1, $2) returning created_at, updated_at",
            id.0,
            json::plain(&new.name)
        )
        .fetch_one(&mut *transaction)
        .await?;
        insert_version(&mut transaction, id, 1, &new.definition).await?;
        transaction.commit().await?;
        Ok(WorkflowRecord {
            id,
            name: new.name.clone(),
            version: 1,
            latest_version: 1,
            definition_blob: new.definition.id,
            definition: new.definition.json.clone(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }

    /// A page, newest first, of those whose name contains `name` in whatever case; `before` is the last id of the page before.
    /// Either way the ids' index is walked: names are few beside runs, and a page ends the walk.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(
        &self,
        name: Option<&str>,
        before: Option<WorkflowId>,
        limit: u32,
    ) -> Result<Vec<WorkflowSummary>, StoreError> {
        let rows = sqlx::query!(
            "select id, name, latest_version, created_at, updated_at from wf_workflows
            where deleted_at is null and id < coalesce($1, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
                and ($3::text is null or position(lower($3) in lower(name)) > 0)
            order by id desc limit $2",
            before.map(|id| id.0),
            i64::from(limit),
            name.map(json::plain) as Option<_>
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| WorkflowSummary {
                id: WorkflowId(row.id),
                name: row.name,
                version: row.latest_version.unsigned_abs(),
                created_at: row.created_at.into(),
                updated_at: row.updated_at.into(),
            })
            .collect())
    }

    /// The newest version.
    ///
    /// # Errors
    /// `NotFound`, `Gone`, `Unavailable`.
    pub async fn get(&self, id: WorkflowId) -> Result<WorkflowRecord, StoreError> {
        self.fetch(id, None).await
    }

    /// One version.
    ///
    /// # Errors
    /// `NotFound` for the workflow or the version, `Gone`, `Unavailable`.
    pub async fn get_version(&self, id: WorkflowId, version: u32) -> Result<WorkflowRecord, StoreError> {
        self.fetch(id, Some(version)).await
    }

    async fn fetch(&self, id: WorkflowId, version: Option<u32>) -> Result<WorkflowRecord, StoreError> {
        let row = sqlx::query!(
            r#"select w.name, w.latest_version, w.created_at, w.updated_at, w.deleted_at,
                v.version as "version?", v.sha256 as "sha256?", d.definition as "definition?"
            from wf_workflows w
            left join wf_workflow_versions v on v.workflow_id = w.id and v.version = coalesce($2, w.latest_version)
            left join wf_definitions d on d.sha256 = v.sha256
            where w.id = $1"#,
            id.0,
            version.map(|version| i32::try_from(version).unwrap_or(i32::MAX))
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?
        .ok_or(StoreError::NotFound("workflow"))?;
        if row.deleted_at.is_some() {
            return Err(StoreError::Gone("workflow"));
        }
        let (Some(version), Some(sha256), Some(definition)) = (row.version, row.sha256, row.definition)
        else {
            return Err(StoreError::NotFound("workflow version"));
        };
        Ok(WorkflowRecord {
            id,
            name: row.name,
            version: version.unsigned_abs(),
            latest_version: row.latest_version.unsigned_abs(),
            definition_blob: definitions::blob_id(&sha256)?,
            definition,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }

    /// Many at once, each at a version or at its newest; as far as their JSON has no more than `max_bytes` in all.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn lookup(
        &self,
        asked: &[(WorkflowId, Option<u32>)],
        max_bytes: u64,
    ) -> Result<Vec<Lookup>, StoreError> {
        let ids = asked.iter().map(|(id, _)| id.0).collect::<Vec<_>>();
        let version = |version: u32| i32::try_from(version).unwrap_or(i32::MAX);
        let versions = asked.iter().map(|(_, asked)| asked.map(version)).collect::<Vec<_>>();
        let rows = sqlx::query!(
            r#"select w.id is not null as "known!", w.deleted_at is not null as "deleted!", v.version as "version?",
                case when sum(coalesce(length(d.definition::text), 0)) over (order by asked.place) <= $3
                    then d.definition end as "definition?"
            from unnest($1::uuid[], $2::int[]) with ordinality as asked(id, version, place)
            left join wf_workflows w on w.id = asked.id
            left join wf_workflow_versions v on v.workflow_id = w.id and w.deleted_at is null
                and v.version = coalesce(asked.version, w.latest_version)
            left join wf_definitions d on d.sha256 = v.sha256
            order by asked.place"#,
            &ids,
            &versions as &[Option<i32>],
            i64::try_from(max_bytes).unwrap_or(i64::MAX)
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        let lookup = |(known, deleted, version, definition): (bool, bool, Option<i32>, Option<Value>)| match (
            version, definition,
        ) {
            (Some(version), Some(definition)) => Lookup::Found(version.unsigned_abs(), definition),
            (Some(_), None) => Lookup::TooLarge,
            _ if !known => Lookup::Unknown,
            _ if deleted => Lookup::Deleted,
            _ => Lookup::UnknownVersion,
        };
        Ok(rows
            .into_iter()
            .map(|row| lookup((row.known, row.deleted, row.version, row.definition)))
            .collect())
    }

    /// All versions, newest first.
    ///
    /// # Errors
    /// `NotFound`, `Gone`, `Unavailable`.
    pub async fn versions(&self, id: WorkflowId) -> Result<Vec<WorkflowVersion>, StoreError> {
        self.check_exists(id).await?;
        let rows = sqlx::query!(
            "select version, sha256, created_at from wf_workflow_versions where workflow_id = $1
            order by version desc",
            id.0
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(WorkflowVersion {
                    version: row.version.unsigned_abs(),
                    definition_blob: definitions::blob_id(&row.sha256)?,
                    created_at: row.created_at.into(),
                })
            })
            .collect()
    }

    /// Saves a new version. With `expected`, only when that is still the newest (If-Match).
    ///
    /// # Errors
    /// `Stale` when `expected` is not the newest, `NotFound`, `Gone`, `Data`, `Unavailable`.
    pub async fn put(
        &self,
        id: WorkflowId,
        expected: Option<u32>,
        new: &NewWorkflow,
    ) -> Result<WorkflowRecord, StoreError> {
        let mut transaction = self.store.begin().await?;
        let current = lock(&mut transaction, id, expected).await?;
        let version = current + 1;
        let row = sqlx::query!(
            "update wf_workflows set name = $2, latest_version = $3 where id = $1 returning created_at, updated_at",
            id.0,
            json::plain(&new.name),
            i32::try_from(version).unwrap_or(i32::MAX)
        )
        .fetch_one(&mut *transaction)
        .await?;
        insert_version(&mut transaction, id, version, &new.definition).await?;
        transaction.commit().await?;
        Ok(WorkflowRecord {
            id,
            name: new.name.clone(),
            version,
            latest_version: version,
            definition_blob: new.definition.id,
            definition: new.definition.json.clone(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }

    /// Deletes it and its schedules. Its runs stay, and so do the versions that they pinned.
    ///
    /// # Errors
    /// `Stale`, `NotFound`, `Gone`, `Unavailable`.
    pub async fn delete(&self, id: WorkflowId, expected: Option<u32>) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        lock(&mut transaction, id, expected).await?;
        sqlx::query!("update wf_workflows set deleted_at = now() where id = $1", id.0)
            .execute(&mut *transaction)
            .await?;
        let schedules = sqlx::query_scalar!(
            "update wf_schedules set deleted_at = now(), next_at = null, waiting_at = null, updated_at = now()
            where workflow_id = $1 and deleted_at is null returning id",
            id.0
        )
        .fetch_all(&mut *transaction)
        .await?;
        blob_uses::forget(&mut transaction, &schedules).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn check_exists(&self, id: WorkflowId) -> Result<(), StoreError> {
        let row = sqlx::query!("select deleted_at from wf_workflows where id = $1", id.0)
            .fetch_optional(&mut *self.store.connection().await?)
            .await?
            .ok_or(StoreError::NotFound("workflow"))?;
        if row.deleted_at.is_some() { Err(StoreError::Gone("workflow")) } else { Ok(()) }
    }
}

/// Locks the workflow's row and gives its newest version.
async fn lock(
    connection: &mut PgConnection,
    id: WorkflowId,
    expected: Option<u32>,
) -> Result<u32, StoreError> {
    let row =
        sqlx::query!("select latest_version, deleted_at from wf_workflows where id = $1 for update", id.0)
            .fetch_optional(connection)
            .await?
            .ok_or(StoreError::NotFound("workflow"))?;
    if row.deleted_at.is_some() {
        return Err(StoreError::Gone("workflow"));
    }
    let current = row.latest_version.unsigned_abs();
    match expected {
        Some(expected) if expected != current => Err(StoreError::Stale { current }),
        _ => Ok(current),
    }
}

async fn insert_version(
    connection: &mut PgConnection,
    id: WorkflowId,
    version: u32,
    definition: &Definition,
) -> Result<(), StoreError> {
    definitions::insert(connection, [definition]).await?;
    sqlx::query!(
        "insert into wf_workflow_versions (workflow_id, version, sha256) values ($1, $2, $3)",
        id.0,
        i32::try_from(version).unwrap_or(i32::MAX),
        definition.id.digest().as_slice()
    )
    .execute(connection)
    .await?;
    Ok(())
}
