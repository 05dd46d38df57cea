//! Rhythms from outside: clock changes in Berlin, what is refused, and what holds for any expression.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use millrace_contracts::UnixMillis;
use millrace_schedule::{Rhythm, RhythmError};
use proptest::prelude::*;

fn at(text: &str) -> UnixMillis {
    UnixMillis::from_rfc3339(text).unwrap()
}

fn berlin(cron: &str) -> Rhythm {
    Rhythm::parse(cron, "Europe/Berlin", at("2026-01-01T00:00:00Z")).unwrap()
}

fn firings(rhythm: &Rhythm, after: &str, count: usize) -> Vec<String> {
    rhythm
        .upcoming(at(after), count)
        .into_iter()
        .map(|time| time.to_rfc3339().replace(".000Z", "Z"))
        .collect()
}

// On 2026-03-29 Berlin goes from 02:00 (+1) to 03:00 (+2), at 01:00 UTC.

#[test]
fn a_time_of_day_that_is_left_out_fires_at_the_first_moment_after() {
    let daily = firings(&berlin("30 2 * * *"), "2026-03-27T12:00:00Z", 3);
    assert_eq!(daily, ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
}

#[test]
fn several_times_a_day_leave_out_what_does_not_exist() {
    let often = firings(&berlin("*/30 * * * *"), "2026-03-29T00:20:00Z", 3);
    assert_eq!(often, ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]);
    let only_there = firings(&berlin("*/30 2 * * *"), "2026-03-28T12:00:00Z", 1);
    assert_eq!(only_there, ["2026-03-30T00:00:00Z"]);
    let seconds = firings(&berlin("* * * * * *"), "2026-03-29T00:59:58Z", 3);
    assert_eq!(seconds, ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:00:01Z"]);
}

// On 2026-10-25 it goes from 03:00 (+2) back to 02:00 (+1), at 01:00 UTC: 02:30 is 00:30 UTC, and 01:30 UTC again.

#[test]
fn a_time_of_day_that_comes_twice_fires_once() {
    let daily = firings(&berlin("30 2 * * *"), "2026-10-24T12:00:00Z", 2);
    assert_eq!(daily, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    let between = firings(&berlin("30 2 * * *"), "2026-10-25T01:10:00Z", 1);
    assert_eq!(between, ["2026-10-26T01:30:00Z"], "not again in the second pass");
}

#[test]
fn several_times_a_day_fire_in_both_passes() {
    let half_hours = firings(&berlin("*/30 * * * *"), "2026-10-25T00:10:00Z", 5);
    let expected = ["00:30", "01:00", "01:30", "02:00", "02:30"];
    assert_eq!(half_hours, expected.map(|time| format!("2026-10-25T{time}:00Z")));
    let only_there = firings(&berlin("15,45 2 * * *"), "2026-10-24T23:00:00Z", 5);
    let expected = ["25T00:15", "25T00:45", "25T01:15", "25T01:45", "26T01:15"];
    assert_eq!(only_there, expected.map(|time| format!("2026-10-{time}:00Z")));
    let minutes = berlin("* * * * *").upcoming(at("2026-10-24T23:59:00Z"), 180);
    assert!(
        minutes.windows(2).all(|pair| pair[1].since(pair[0]) == 60_000),
        "no minute is missing or double"
    );
}

#[test]
fn the_time_zone_decides() {
    let noon = |zone: &str| {
        let rhythm = Rhythm::parse("0 12 * * *", zone, at("2026-07-01T00:00:00Z")).unwrap();
        firings(&rhythm, "2026-07-01T00:00:00Z", 1).remove(0)
    };
    assert_eq!(noon("UTC"), "2026-07-01T12:00:00Z");
    assert_eq!(noon("Asia/Kolkata"), "2026-07-01T06:30:00Z");
    assert_eq!(noon("America/New_York"), "2026-07-01T16:00:00Z");
}

#[test]
fn every_documented_form_reads() {
    let now = at("2026-05-05T12:34:56.700Z");
    for (cron, next) in [
        ("@hourly", "2026-05-05T13:00:00Z"),
        ("@daily", "2026-05-06T00:00:00Z"),
        ("@midnight", "2026-05-06T00:00:00Z"),
        ("@weekly", "2026-05-10T00:00:00Z"),
        ("@monthly", "2026-06-01T00:00:00Z"),
        ("@yearly", "2027-01-01T00:00:00Z"),
        ("@annually", "2027-01-01T00:00:00Z"),
        ("* * * * * *", "2026-05-05T12:34:57Z"),
        ("*/20 * * * * *", "2026-05-05T12:35:00Z"),
        ("0 9 * * MON-FRI", "2026-05-06T09:00:00Z"),
        ("0 0 L JAN *", "2027-01-31T00:00:00Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
    ] {
        let rhythm = Rhythm::parse(cron, "UTC", now).unwrap();
        assert_eq!(rhythm.next_after(now).unwrap().to_rfc3339().replace(".000Z", "Z"), next, "{cron}");
    }
}

#[test]
fn nonsense_is_refused() {
    let now = at("2026-05-05T12:00:00Z");
    for cron in [
        "",
        "x",
        "* * * *",
        "* * * * * * *",
        "61 * * * *",
        "* 25 * * *",
        "@sometimes",
        "@reboot",
        "a@daily",
        "*/0 * * * *",
    ] {
        assert!(matches!(Rhythm::parse(cron, "UTC", now), Err(RhythmError::Cron(_))), "{cron}");
    }
    assert!(matches!(Rhythm::parse(&"1,".repeat(500), "UTC", now), Err(RhythmError::Cron(_))));
    // Each would fire once an hour, a day, a year, or at random.
    for (cron, step, field) in [
        ("*/90 * * * *", 90, "minutes"),
        ("0 */25 * * *", 25, "hours"),
        ("0 0 1,2/40 * *", 40, "days"),
        ("*/61 * * * * *", 61, "seconds"),
    ] {
        let error = Rhythm::parse(cron, "UTC", now).unwrap_err();
        assert!(
            matches!(error, RhythmError::Step { step: s, field: f, .. } if (s, f) == (step, field)),
            "{cron}"
        );
    }
    for cron in ["*/60 * * * *", "0 */24 * * *", "0 0 1 */12 *", "*/30 */5 * * * */2"] {
        assert!(Rhythm::parse(cron, "UTC", now).is_ok(), "{cron}");
    }
    assert_eq!(Rhythm::parse("0 0 30 2 *", "UTC", now).unwrap_err(), RhythmError::Never);
    let nowhere = Rhythm::parse("* * * * *", "Europe/Atlantis", now).unwrap_err();
    assert_eq!(nowhere, RhythmError::Timezone("Europe/Atlantis".to_owned()));
}

#[test]
fn the_shortest_pause_is_found_among_uneven_ones() {
    let now = at("2026-05-05T12:00:00Z");
    let pause = |cron| Rhythm::parse(cron, "UTC", now).unwrap().shortest_pause(now);
    assert_eq!(pause("* * * * * *"), Some(Duration::from_secs(1)));
    assert_eq!(pause("0,1 0 1 1 *"), Some(Duration::from_secs(60)));
    assert_eq!(pause("@daily"), Some(Duration::from_secs(86_400)));
}

fn field(high: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("*".to_owned()),
        2 => (0..=high).prop_map(|at| at.to_string()),
        1 => (1..=high).prop_map(|step| format!("*/{step}")),
        1 => (0..=high, 0..=high).prop_map(|(a, b)| format!("{},{}", a.min(b), a.max(b))),
    ]
}

proptest! {
    #[test]
    fn the_next_firing_is_always_later(
        (second, minute, hour) in (field(59), field(59), field(23)),
        zone in prop::sample::select(vec![
            "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca",
            "America/Sao_Paulo", "Pacific/Apia",
        ]),
        now in prop_oneof![
            0i64..2_500_000_000_000,
            // Around the changes of 2026 in Berlin, New York and Lord Howe.
            prop::sample::select(vec![1_774_746_000_000i64, 1_792_890_000_000, 1_772_953_200_000, 1_793_512_800_000, 1_775_314_800_000, 1_791_043_200_000])
                .prop_flat_map(|change| change - 7_500_000..change + 7_500_000),
        ],
    ) {
        let now = UnixMillis(now);
        let rhythm = Rhythm::parse(&format!("{second} {minute} {hour} * * *"), zone, now).unwrap();
        let firings = rhythm.upcoming(now, 20);
        prop_assert_eq!(firings.len(), 20);
        prop_assert!(firings[0] > now);
        prop_assert!(firings.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", firings);
        // Nothing lies between: asked from just before a firing, the answer is that firing.
        for firing in &firings {
            prop_assert_eq!(rhythm.next_after(UnixMillis(firing.0 - 1)), Some(*firing));
        }
    }

    #[test]
    fn no_text_panics(text in "[ -~]{0,40}", zone in "[A-Za-z/_]{0,20}") {
        drop(Rhythm::parse(&text, &zone, UnixMillis(1_800_000_000_000)));
        drop(Rhythm::parse(&text, "UTC", UnixMillis(1_800_000_000_000)));
    }
}
