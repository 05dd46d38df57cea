//! Identifiers. Each is its own type, so that a node can never be passed for a job.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use smallvec::SmallVec;
use uuid::Uuid;

use crate::UnixMillis;

/// Text that is not the identifier it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a valid {what}")]
pub struct IdError {
    /// Which identifier was expected.
    pub what: &'static str,
    /// What was found instead, cut to 80 characters.
    pub value: String,
}

impl IdError {
    fn new(what: &'static str, value: &str) -> Self {
        Self { what, value: value.chars().take(80).collect() }
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError::new($what, text))
            }
        }
    };
}

uuid_id!(
    /// One run of a workflow (UUIDv7, so ids sort by creation).
    ExecutionId, "execution id"
);
uuid_id!(
    /// A saved workflow (UUIDv7).
    WorkflowId, "workflow id"
);
uuid_id!(
    /// One attempt of one node run: UUIDv5 of (run, node, path, attempt), and so the fencing token.
    JobId, "job id"
);

uuid_id!(
    /// A schedule (UUIDv7).
    ScheduleId, "schedule id"
);

impl ExecutionId {
    /// The run that `schedule` starts at `due`: a UUIDv7 of that moment, and always the same, so that a firing that is
    /// handled twice makes one run.
    #[must_use]
    pub fn of_firing(schedule: ScheduleId, due: UnixMillis) -> Self {
        let digest = Sha256::digest([schedule.0.as_bytes().as_slice(), &due.0.to_be_bytes()].concat());
        let random = digest[..10].try_into().expect("a SHA-256 digest has 32 bytes");
        let millis = u64::try_from(due.0).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// A fresh id, later than every id made before it on this machine.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The shard this run lives on, stable for a given number of partitions.
    #[must_use]
    pub fn partition(&self, partitions: u16) -> Partition {
        partition_of(self.0, partitions)
    }
}

/// The last eight bytes of a UUIDv7 are random: no further hashing is needed to spread.
fn partition_of(id: Uuid, partitions: u16) -> Partition {
    let tail = u64::from_be_bytes(id.as_bytes()[8..].try_into().expect("a UUID has 16 bytes"));
    Partition((tail % u64::from(partitions.max(1))) as u16)
}

impl ScheduleId {
    /// A fresh id.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The shard its cues go to, stable for a given number of partitions.
    #[must_use]
    pub fn partition(&self, partitions: u16) -> Partition {
        partition_of(self.0, partitions)
    }
}

impl WorkflowId {
    /// A fresh id.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl JobId {
    /// The id of attempt `attempt` (from 1) of `node` at `path` in `execution`.
    #[must_use]
    pub fn of(execution: ExecutionId, node: &NodeId, path: &ItemPath, attempt: u32) -> Self {
        Self(Uuid::new_v5(&execution.0, format!("{node}{path}#{attempt}").as_bytes()))
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
    };
}

text_id!(
    /// A node's name inside its workflow. The compiler admits `[A-Za-z_][A-Za-z0-9_-]{0,63}`.
    NodeId
);
text_id!(
    /// A model's name in the repository, such as `shapes-detector` or `acme/defects-v3`.
    ModelId
);
text_id!(
    /// Which copy of a model: the SHA-256 of its ONNX file, or of the manifest of its files where it has several; 64
    /// lower-case hex digits.
    ModelDigest
);
text_id!(
    /// A worker process, unique for its life.
    WorkerId
);
text_id!(
    /// A class of workers: `fast`, `heavy`, `batch`, `cpu`, or one of the operator's own.
    Pool
);

/// A shard of executions. All Redis keys of one partition share a hash tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(pub u16);

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a node run stands inside nested `for_each` scopes: one index per scope, outermost first; empty at the top.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "[3,0]"))]
pub struct ItemPath(SmallVec<[u32; 4]>);

impl ItemPath {
    /// The path of a node outside every loop.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of item `index` of a loop that runs at this path.
    #[must_use]
    pub fn child(&self, index: u32) -> Self {
        let mut path = self.clone();
        path.0.push(index);
        path
    }

    /// The first `depth` indices: the path of the enclosing scope at that depth.
    #[must_use]
    pub fn prefix(&self, depth: usize) -> Self {
        Self(self.0[..depth.min(self.0.len())].into())
    }

    /// The indices, outermost first.
    #[must_use]
    pub fn indices(&self) -> &[u32] {
        &self.0
    }

    /// How many loops enclose the node run.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.len()
    }
}

impl From<&[u32]> for ItemPath {
    fn from(indices: &[u32]) -> Self {
        Self(indices.into())
    }
}

/// `[3,0]`; empty text at the top.
impl fmt::Display for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str("[")?;
        for (position, index) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            index.fmt(f)?;
        }
        f.write_str("]")
    }
}

impl FromStr for ItemPath {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let inner = inner.ok_or_else(|| IdError::new("item path", text))?;
        let indices = inner.split(',').map(str::parse).collect::<Result<SmallVec<[u32; 4]>, _>>();
        indices.map(Self).map_err(|_| IdError::new("item path", text))
    }
}

impl Serialize for ItemPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ItemPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The SHA-256 of a blob's bytes; written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-f]{64}$"))]
pub struct BlobId([u8; 32]);

impl BlobId {
    /// The id of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The id with this digest, for callers that hash while they stream.
    #[must_use]
    pub fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The raw digest.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 64];
        hex::encode_to_slice(self.0, &mut text).expect("64 digits hold 32 bytes");
        f.write_str(std::str::from_utf8(&text).expect("hex digits are ASCII"))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}

impl FromStr for BlobId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut digest = [0u8; 32];
        hex::decode_to_slice(text, &mut digest).map_err(|_| IdError::new("blob id", text))?;
        Ok(Self(digest))
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_paths_survive_their_text_form() {
        for indices in [&[][..], &[0], &[3, 0], &[1, 2, 3, 4, 5]] {
            let path = ItemPath::from(indices);
            assert_eq!(path.to_string().parse::<ItemPath>().unwrap(), path);
        }
        assert!("3,0".parse::<ItemPath>().is_err());
        assert!("[3,]".parse::<ItemPath>().is_err());
    }

    #[test]
    fn a_job_id_depends_on_run_node_path_and_attempt() {
        let run = ExecutionId::generate();
        let base = JobId::of(run, &"detect".into(), &ItemPath::root(), 1);
        assert_eq!(base, JobId::of(run, &"detect".into(), &ItemPath::root(), 1));
        assert_ne!(base, JobId::of(run, &"detect".into(), &ItemPath::root(), 2));
        assert_ne!(base, JobId::of(run, &"detect".into(), &ItemPath::root().child(0), 1));
        assert_ne!(base, JobId::of(ExecutionId::generate(), &"detect".into(), &ItemPath::root(), 1));
    }

    #[test]
    fn partitions_stay_in_range() {
        for _ in 0..100 {
            assert!(ExecutionId::generate().partition(16).0 < 16);
        }
    }
}
