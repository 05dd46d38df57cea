//! The signature of Standard Webhooks 1.0.0, symmetric: `v1,` and the base64 of HMAC-SHA256 over id, time and body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How a secret begins in the wild.
const PREFIX: &str = "whsec_";

/// A key to sign with.
pub(super) struct Key(Vec<u8>);

/// What is signed.
pub(super) struct Signed<'a> {
    /// `webhook-id`.
    pub(super) id: &'a str,
    /// `webhook-timestamp`: seconds since the Unix epoch.
    pub(super) timestamp_s: i64,
    /// The body as it is sent.
    pub(super) body: &'a [u8],
}

impl Key {
    /// The key that a secret is: base64, with or without `whsec_` before it.
    pub(super) fn read(secret: &str) -> Option<Self> {
        let text = secret.strip_prefix(PREFIX).unwrap_or(secret);
        STANDARD.decode(text).ok().filter(|key| !key.is_empty()).map(Self)
    }

    /// The value of `webhook-signature`.
    pub(super) fn sign(&self, signed: &Signed<'_>) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{}.{}.", signed.id, signed.timestamp_s).as_bytes());
        mac.update(signed.body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_signed_as_there() {
        let signed = Signed {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp_s: 1_614_265_330,
            body: br#"{"test": 2432232314}"#,
        };
        for secret in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            let signature = Key::read(secret).unwrap().sign(&signed);
            assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        }
        assert!(Key::read("not base64!").is_none() && Key::read("whsec_").is_none());
    }
}
