//! How often a key may call, and how often wrong keys are looked up: each by a bucket that refills steadily.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use millrace_config::Auth;
use uuid::Uuid;

use crate::problem::{Code, Problem};

/// Keys nobody knows yet that are looked up per second, by all callers together: guessing must not load the database.
const UNKNOWN_PER_SECOND: NonZeroU32 = NonZeroU32::new(100).expect("a hundred is not zero");

/// The buckets. Those by key are as many as there are keys.
pub(crate) struct Pace {
    keys: DefaultKeyedRateLimiter<Uuid>,
    unknown: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl Pace {
    /// Full buckets.
    pub(crate) fn new(settings: &Auth) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(settings.requests_per_second));
        Self {
            keys: RateLimiter::keyed(quota.allow_burst(at_least_one(settings.burst))),
            unknown: RateLimiter::direct(Quota::per_second(UNKNOWN_PER_SECOND)),
            clock: DefaultClock::default(),
        }
    }

    /// One more request of `key`.
    pub(crate) fn request(&self, key: Uuid) -> Result<(), Problem> {
        let detail =
            "this api key makes more requests than it may (`auth.requests_per_second`); send them slower";
        self.keys.check_key(&key).map_err(|early| self.refuse(&early, detail))
    }

    /// One more key that is to be looked up.
    pub(crate) fn unknown(&self) -> Result<(), Problem> {
        let detail = "too many unknown api keys are being tried; send it again in a moment";
        self.unknown.check().map_err(|early| self.refuse(&early, detail))
    }

    fn refuse(&self, early: &NotUntil<<DefaultClock as Clock>::Instant>, detail: &'static str) -> Problem {
        let pause = early.wait_time_from(self.clock.now()) + Duration::from_secs(1);
        Problem::new(Code::RateLimited, detail)
            .header(axum::http::header::RETRY_AFTER, pause.as_secs().max(1).into())
    }
}
