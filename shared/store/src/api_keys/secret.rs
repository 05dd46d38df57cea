//! The secret of a key: made here, shown once, and kept as a hash only.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// How every key begins, so that one that leaked is recognised by those who look for such.
const PREFIX: &str = "mr_";
/// Random bytes of a key.
const RANDOM_BYTES: usize = 32;
/// Characters of a key that are kept to recognise it by: the prefix, and 30 of its 256 bits.
const SHOWN: usize = 8;

/// The text of a key: `mr_` and 256 random bits as base64url. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret(String);

/// What is stored of a key. Plain SHA-256 and not a slow hash: slowness protects what people choose, which can be guessed; 256
/// random bits cannot, and every request pays for the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl KeySecret {
    /// A fresh key.
    #[must_use]
    pub fn generate() -> Self {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).expect("the system gives random bytes");
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random)))
    }

    /// The key that `text` is; none when it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (bytes.len() == RANDOM_BYTES).then(|| Self(text.to_owned()))
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// Its first characters.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0[..SHOWN]
    }

    /// The text itself: for its owner, once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}***", self.prefix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_random_and_survives_its_text_and_does_not_print() {
        let key = KeySecret::generate();
        assert_eq!(KeySecret::parse(key.expose()), Some(key.clone()));
        assert_ne!(key, KeySecret::generate());
        assert_eq!(key.expose().len(), 46);
        assert!(!format!("{key:?}").contains(&key.expose()[SHOWN..]));
        for text in ["", "mr_", "mr_short", "xx_AAAA", &format!("{}A", key.expose()), &key.expose()[1..]] {
            assert_eq!(KeySecret::parse(text), None, "{text}");
        }
    }
}
