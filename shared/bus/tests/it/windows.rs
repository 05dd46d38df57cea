//! Windows over many runs: exact whoever adds, however often, and in whatever order.

use std::time::Duration;

use anyhow::Result;
use millrace_bus::{Bus, Contribution, MAX_WINDOW_BYTES, WindowSize, WindowState};
use millrace_contracts::UnixMillis;
use proptest::strategy::{Strategy as _, ValueTree as _};

use crate::support::Fixture;

async fn add(bus: &Bus, size: WindowSize, who: &str, at_ms: i64, values: &[&str]) -> Result<WindowState> {
    let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    let at = UnixMillis(1_700_000_000_000 + at_ms);
    Ok(bus.add_to_window(&Contribution { window: "w", size, contributor: who, at, values: &values }).await?)
}

fn closed(values: &[&str]) -> WindowState {
    WindowState::Closed(values.iter().map(|value| (*value).to_owned()).collect())
}

#[tokio::test]
async fn a_window_of_runs_closes_with_the_last_and_a_repetition_changes_nothing() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (bus, three) = (&fixture.bus, WindowSize::Contributions(3));
    assert_eq!(add(bus, three, "a", 0, &["1", "2"]).await?, WindowState::Open);
    assert_eq!(add(bus, three, "a", 0, &["1", "2"]).await?, WindowState::Open);
    assert_eq!(add(bus, three, "b", 1, &[]).await?, WindowState::Open);
    for _ in 0..2 {
        assert_eq!(add(bus, three, "c", 2, &["3"]).await?, closed(&["1", "2", "3"]));
    }
    // After the window closed, too.
    assert_eq!(add(bus, three, "b", 1, &[]).await?, WindowState::Open);
    assert_eq!(add(bus, three, "d", 3, &["4"]).await?, WindowState::Open);
    assert_eq!(add(bus, three, "c", 2, &["3"]).await?, closed(&["1", "2", "3"]));
    let keys: Vec<String> = fixture.ask("KEYS {mr:w:*").await?;
    for key in keys {
        assert!(fixture.ask::<i64>(&format!("PTTL {key}")).await? > 0, "{key} expires");
    }
    Ok(())
}

#[tokio::test]
async fn a_window_of_time_is_closed_by_who_comes_after_it() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (bus, second) = (&fixture.bus, WindowSize::Span(Duration::from_secs(1)));
    assert_eq!(add(bus, second, "a", 100, &["1"]).await?, WindowState::Open);
    assert_eq!(add(bus, second, "b", 900, &["2"]).await?, WindowState::Open);
    assert_eq!(add(bus, second, "c", 5_500, &["3"]).await?, closed(&["1", "2"]));
    // Late: it counts in the window that is open.
    assert_eq!(add(bus, second, "d", 950, &["4"]).await?, WindowState::Open);
    assert_eq!(add(bus, second, "e", 6_000, &["5"]).await?, closed(&["3", "4"]));
    Ok(())
}

#[tokio::test]
async fn a_window_has_a_bound() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (bus, many) = (&fixture.bus, WindowSize::Contributions(1_000));
    let large = "x".repeat(MAX_WINDOW_BYTES as usize - 1);
    assert_eq!(add(bus, many, "a", 0, &[&large]).await?, WindowState::Open);
    assert_eq!(add(bus, many, "b", 0, &["yz"]).await?, WindowState::Full);
    assert_eq!(add(bus, many, "c", 0, &["y"]).await?, WindowState::Open);
    let values: Vec<String> = (0..9_000).map(|number| number.to_string()).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let other = Contribution {
        window: "other",
        size: WindowSize::Contributions(1),
        contributor: "a",
        at: UnixMillis(0),
        values: &values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>(),
    };
    assert_eq!(bus.add_to_window(&other).await?, closed(&values), "as many as Lua's stack would not hold");
    Ok(())
}

#[tokio::test]
async fn every_value_is_counted_once_whatever_the_order_and_the_repetitions() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let shuffled = proptest::sample::subsequence((0..40).collect::<Vec<usize>>(), 40).prop_shuffle();
    for round in 0..10 {
        let order = shuffled.new_tree(&mut runner).expect("an order").current();
        let name = format!("round {round}");
        let adding = order.iter().chain(&order[..17]).map(|number| {
            let (bus, name, who) = (fixture.bus.clone(), name.clone(), format!("run {number}"));
            async move {
                let values = [number.to_string()];
                let size = WindowSize::Contributions(8);
                let at = UnixMillis(*number as i64);
                let one = Contribution { window: &name, size, contributor: &who, at, values: &values };
                bus.add_to_window(&one).await.map(|state| (who, state))
            }
        });
        let mut seen = std::collections::BTreeMap::new();
        for answered in futures::future::join_all(adding).await {
            let (who, state) = answered?;
            if let WindowState::Closed(values) = state {
                seen.insert(who, values);
            }
        }
        let mut all: Vec<usize> =
            seen.values().flatten().map(|value| value.parse()).collect::<Result<_, _>>()?;
        all.sort_unstable();
        assert_eq!((seen.len(), all), (5, (0..40).collect()));
    }
    Ok(())
}
