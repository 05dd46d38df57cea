//! Serde for durations as people write them: `6s`, `20ms`, `1h 30m`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

const DAY_SECONDS: u64 = 86_400;

pub(crate) fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&text(*span))
}

/// Days are the largest unit: what is longer has no fixed length, and 365 days would read as `11months 30days 3h 50m 24s`.
fn text(span: Duration) -> String {
    let days = span.as_secs() / DAY_SECONDS;
    let rest = span.saturating_sub(Duration::from_secs(days * DAY_SECONDS));
    let whole = if days == 1 { "1day".to_owned() } else { format!("{days}days") };
    match (days, rest.is_zero()) {
        (0, _) => humantime::format_duration(rest).to_string(),
        (_, true) => whole,
        (_, false) => format!("{whole} {}", humantime::format_duration(rest)),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|fault| {
        serde::de::Error::custom(format!(
            "{text:?} is not a duration ({fault}); write such as 6s, 20ms or 1h 30m"
        ))
    })
}

/// The same for a duration that may be absent.
pub(crate) mod optional {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => super::serialize(span, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        #[derive(Deserialize)]
        struct Span(#[serde(with = "super")] Duration);
        Ok(Option::<Span>::deserialize(deserializer)?.map(|span| span.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_they_are_meant() {
        let days = |days: u64| Duration::from_secs(days * DAY_SECONDS);
        let spans = [
            (days(365), "365days"),
            (days(1), "1day"),
            (days(2) + Duration::from_secs(3_600), "2days 1h"),
            (Duration::from_millis(90_020), "1m 30s 20ms"),
            (Duration::ZERO, "0s"),
            (Duration::MAX, "213503982334601days 7h 15s 999ms 999us 999ns"),
        ];
        for (span, words) in spans {
            assert_eq!(text(span), words);
            assert_eq!(humantime::parse_duration(words).ok(), Some(span), "{words}");
        }
    }
}
