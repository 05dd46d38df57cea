//! Signed texts that stand for a key for a while: the session of a browser, and the token that opens an event stream.
//! `<purpose>.<key id>.<expires>.<HMAC-SHA256>`: nothing of the key itself is in it, and a revoked key ends them all.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use millrace_config::Auth;
use millrace_contracts::UnixMillis;
use sha2::Sha256;
use uuid::Uuid;

/// What a signed text is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A browser that is logged in.
    Session,
    /// Opening an event stream.
    Stream,
}

/// Signs and checks.
pub(crate) struct Signer(Hmac<Sha256>);

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Stream => "stream",
        }
    }
}

impl Signer {
    /// With the secret of the settings, or one made up for this process.
    pub(crate) fn new(settings: &Auth) -> Self {
        let mut random = [0; 32];
        getrandom::fill(&mut random).expect("the system gives random bytes");
        let secret =
            settings.signing_secret.as_ref().map_or(random.as_slice(), |text| text.expose().as_bytes());
        Self(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length"))
    }

    /// The text that stands for `key` from now on, and when that ends.
    pub(crate) fn sign(&self, purpose: Purpose, key: Uuid, life: Duration) -> (String, UnixMillis) {
        let expires = UnixMillis::now().after(life);
        let claim = format!("{}.{}.{}", purpose.as_str(), key.simple(), expires.0);
        let tag = self.0.clone().chain_update(claim.as_bytes()).finalize().into_bytes();
        (format!("{claim}.{}", URL_SAFE_NO_PAD.encode(tag)), expires)
    }

    /// The key that `text` stands for, if it is ours, for this purpose, and has not run out.
    pub(crate) fn check(&self, purpose: Purpose, text: &str) -> Option<Uuid> {
        let (claim, tag) = text.rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        self.0.clone().chain_update(claim.as_bytes()).verify_slice(&tag).ok()?;
        let parts: Vec<&str> = claim.split('.').collect();
        let [kind, key, expires] = parts[..] else { return None };
        let fresh = UnixMillis::now().0 < expires.parse().ok()?;
        Uuid::parse_str(key).ok().filter(|_| fresh && kind == purpose.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_good_for_its_key_and_purpose_until_it_runs_out() {
        let (signer, other) = (Signer::new(&Auth::default()), Signer::new(&Auth::default()));
        let key = Uuid::now_v7();
        let (text, _) = signer.sign(Purpose::Stream, key, Duration::from_secs(60));
        assert_eq!(signer.check(Purpose::Stream, &text), Some(key));
        assert_eq!(signer.check(Purpose::Session, &text), None, "another purpose");
        assert_eq!(other.check(Purpose::Stream, &text), None, "another secret");
        let changed = text.replacen(&key.simple().to_string(), &Uuid::now_v7().simple().to_string(), 1);
        assert_eq!(signer.check(Purpose::Stream, &changed), None, "another key");
        let (over, _) = signer.sign(Purpose::Stream, key, Duration::ZERO);
        assert_eq!(signer.check(Purpose::Stream, &over), None, "run out");
        for text in ["", ".", "...", "stream.x.y.z", &text[..text.len() - 1]] {
            assert_eq!(signer.check(Purpose::Stream, text), None, "{text}");
        }
    }
}
