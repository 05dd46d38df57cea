//! Where files are kept: a folder, or a prefix of a bucket in an object store.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

/// A folder, or a bucket's prefix; written as a path, `file:///path` or `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Location {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A prefix in an object store.
    Bucket(BucketUrl),
}

/// `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketUrl {
    /// The bucket.
    pub bucket: String,
    /// What the names of all objects begin with, without slashes at its ends; empty for the whole bucket.
    pub prefix: String,
}

impl Location {
    /// The folder, if it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Bucket(_) => None,
        }
    }
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORMS: &str = "write a folder, file:///path/to/folder, or s3://bucket/prefix";
        if text.trim().is_empty() {
            return Err(format!("it is empty; {FORMS}"));
        }
        // `C:\…` and `a:b` are no URLs with an authority.
        let Some((scheme, _)) = text.split_once("://") else { return Ok(Self::Folder(text.into())) };
        // The text stays out of the messages: it may hold a password that belongs elsewhere.
        let url = Url::parse(text).map_err(|fault| format!("it is no URL: {fault}; {FORMS}"))?;
        match scheme {
            "file" => url
                .to_file_path()
                .map(Self::Folder)
                .map_err(|()| format!("a file:// URL has no host; {FORMS}")),
            "s3" => {
                let plain = url.username().is_empty()
                    && url.password().is_none()
                    && url.port().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none();
                let bucket = url.host_str().filter(|bucket| plain && !bucket.is_empty());
                let bucket = bucket.ok_or(
                    "a bucket's URL is s3://bucket/prefix and no more; keys and endpoint stand in [objects]",
                )?;
                Ok(Self::Bucket(BucketUrl {
                    bucket: bucket.to_owned(),
                    prefix: url.path().trim_matches('/').to_owned(),
                }))
            }
            _ => Err(format!("{scheme}:// is not supported; {FORMS}")),
        }
    }
}

impl TryFrom<String> for Location {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PathBuf> for Location {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl From<Location> for String {
    fn from(location: Location) -> Self {
        location.to_string()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Bucket(bucket) => bucket.fmt(f),
        }
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "s3://{}{slash}{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Location, String> {
        text.parse()
    }

    #[test]
    fn folders_and_buckets_are_told_apart() {
        let folder = |path: &str| Ok(Location::Folder(path.into()));
        assert_eq!(read("./data/blobs"), folder("./data/blobs"));
        assert_eq!(read("file:///var/with%20space"), folder("/var/with space"));
        let bucket = |prefix: &str| {
            Ok(Location::Bucket(BucketUrl { bucket: "my-bucket".into(), prefix: prefix.into() }))
        };
        assert_eq!(read("s3://my-bucket"), bucket(""));
        assert_eq!(read("s3://my-bucket/"), bucket(""));
        assert_eq!(read("s3://my-bucket/models/v1/"), bucket("models/v1"));
        for text in ["s3://my-bucket", "s3://my-bucket/models/v1", "/data"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_neither_is_refused_without_being_repeated() {
        let odd =
            ["", " ", "file://host/path", "s3://", "s3:///prefix", "gs://bucket", "s3://bucket?endpoint=x"];
        for text in odd {
            assert!(read(text).is_err(), "{text:?}");
        }
        let fault = read("s3://key:hunter2@bucket/prefix").unwrap_err();
        assert!(!fault.contains("hunter2") && fault.contains("[objects]"), "{fault}");
    }
}
