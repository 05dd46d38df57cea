//! Why a store did not do what was asked of it, in words for who runs it.

use std::error::Error;

use object_store::Error as StoreError;
use object_store::client::{HttpError, HttpErrorKind};

/// More of what a store said is not repeated.
const MOST_CHARACTERS: usize = 300;
/// Where machines of a cloud ask for the keys of their role.
const ROLE_ADDRESS: &str = "169.254.169.254";

/// Why a store did not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// The settings cannot be used.
    #[error("{address} cannot be used: {detail}")]
    Settings {
        /// The store.
        address: String,
        /// What is wrong.
        detail: String,
    },
    /// No answer, or one that says that the store cannot answer now.
    #[error(
        "{address} cannot be reached: {detail}; see that the store is up, and that objects.endpoint and objects.region \
         name it"
    )]
    Away {
        /// The store.
        address: String,
        /// What went wrong.
        detail: String,
    },
    /// There is no key to show.
    #[error(
        "there is no key for {address}: set objects.access_key_id and objects.secret_access_key, or AWS_ACCESS_KEY_ID \
         and AWS_SECRET_ACCESS_KEY"
    )]
    NoKey {
        /// The store.
        address: String,
    },
    /// The key is not known, or may not do this.
    #[error(
        "{address} refuses: {detail}; see that the key is right, and that it may list, read, write and delete there"
    )]
    Refused {
        /// The store.
        address: String,
        /// What it said.
        detail: String,
    },
    /// There is no such bucket.
    #[error("the bucket of {address} does not exist; make it, or name another")]
    NoBucket {
        /// The store.
        address: String,
    },
    /// Something else: a full disk, missing rights, an answer that makes no sense.
    #[error("{address} failed: {detail}")]
    Failed {
        /// The store.
        address: String,
        /// What it said.
        detail: String,
    },
}

impl ObjectsError {
    /// What `error` means that the store at `address` gave. An object that is not there is told by the caller, who knows
    /// what it was.
    #[must_use]
    pub fn of(address: &str, error: &StoreError) -> Self {
        let address = address.to_owned();
        let chain = chain(error);
        let said = || chain.iter().map(ToString::to_string).collect::<Vec<_>>().join(": ");
        if said().contains(ROLE_ADDRESS) {
            return Self::NoKey { address };
        }
        let detail = detail(&chain);
        // The answer's type is not public, and not every request has an error of its own for its status.
        let answered = |status: &str| said().contains(&format!("non-2xx status code: {status}"));
        match error {
            _ if said().contains("NoSuchBucket") => Self::NoBucket { address },
            StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
                Self::Refused { address, detail }
            }
            _ if answered("401") || answered("403") => Self::Refused { address, detail },
            _ if answered("5") || is_lost(&chain) => Self::Away { address, detail },
            _ => Self::Failed { address, detail },
        }
    }

    /// Whether the same may succeed later without anybody changing the settings.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Failed { .. })
    }
}

fn chain(error: &StoreError) -> Vec<&(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source()).collect()
}

/// What was at the root of it: the texts before it tell the same at length.
fn detail(chain: &[&(dyn Error + 'static)]) -> String {
    let root = chain.last().map(ToString::to_string).unwrap_or_default();
    let words = root.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(MOST_CHARACTERS).collect()
}

/// Whether there was no answer.
fn is_lost(chain: &[&(dyn Error + 'static)]) -> bool {
    let lost = |error: &HttpError| {
        matches!(
            error.kind(),
            HttpErrorKind::Connect
                | HttpErrorKind::Request
                | HttpErrorKind::Timeout
                | HttpErrorKind::Interrupted
        )
    };
    chain.iter().any(|error| error.downcast_ref::<HttpError>().is_some_and(lost))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> StoreError {
        StoreError::Generic { store: "S3", source: text.to_owned().into() }
    }

    #[test]
    fn what_to_do_depends_on_what_went_wrong() {
        let told = |error: &StoreError| ObjectsError::of("s3://b/p", error).to_string();
        let away = told(&generic("Server returned non-2xx status code: 503 Service Unavailable: \n\n busy"));
        assert!(
            away.starts_with("s3://b/p cannot be reached: ")
                && away.contains("503 Service Unavailable: busy"),
            "{away}"
        );
        assert!(told(&generic("GET http://169.254.169.254/latest")).contains("AWS_ACCESS_KEY_ID"));
        let missing = |text: &str| StoreError::NotFound { path: "x".into(), source: text.to_owned().into() };
        assert!(told(&missing("<Code>NoSuchBucket</Code>")).contains("make it"));
        assert!(!told(&missing("<Code>NoSuchKey</Code>")).contains("make it"));
        let refused = StoreError::PermissionDenied { path: "x".into(), source: "InvalidAccessKeyId".into() };
        assert!(told(&refused).contains("the key is right"));
        assert_eq!(told(&generic("disk full")), "s3://b/p failed: disk full");
    }

    #[test]
    fn a_long_answer_is_cut() {
        let error = ObjectsError::of("s3://b", &generic(&"x".repeat(10_000)));
        assert!(error.to_string().len() < 400 && error.is_passing());
    }
}
