use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result};
use millrace_bus::{BuriedIn, Redone};
use millrace_contracts::job::Priority;
use millrace_contracts::{ExecutionId, Pool};
use millrace_testkit::eventually;

use crate::support::{DEADLINE, Fixture, job, read_messages, step};

async fn letters(fixture: &Fixture, stream: &str) -> Result<Vec<HashMap<String, String>>> {
    let found: Vec<(String, HashMap<String, String>)> =
        fixture.ask(&format!("XRANGE {stream}:dead - +")).await?;
    Ok(found.into_iter().map(|(_, fields)| fields).collect())
}

#[tokio::test]
async fn messages_that_do_not_read_are_set_aside_and_the_rest_goes_on() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    let partition = bus.partition_of(run);
    let stream = format!("{{mr:p{partition}}}:inbox");
    for entry in ["m {broken", "t nonsense", "x y"] {
        fixture.ask::<String>(&format!("XADD {stream} * {entry}")).await?;
    }
    bus.wake(run).await?;
    let mut inbox = bus.inbox("o1").await?;
    let good = read_messages(&mut inbox, &[partition], 1).await?;
    assert_eq!(good.len(), 1);
    let dead = letters(&fixture, &stream).await?;
    assert_eq!(dead.len(), 3);
    assert!(dead[0]["reason"].starts_with("not a readable message"), "{dead:?}");
    assert_eq!((dead[0]["field"].as_str(), dead[0]["content"].as_str()), ("m", "{broken"));
    assert!(dead[1]["reason"].contains("timer"), "{dead:?}");
    assert_eq!(bus.inbox_depth().await?, 1, "only the good one is left, until it is acknowledged");

    bus.bury_message(&good[0], "stepped on it five times").await?;
    assert_eq!(bus.inbox_depth().await?, 0);
    assert_eq!(letters(&fixture, &stream).await?[3]["reason"], "stepped on it five times");
    Ok(())
}

#[tokio::test]
async fn jobs_that_do_not_read_are_set_aside_whoever_meets_them() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["fast".into()];
    let stream = "{mr:q:fast:-}:normal";
    let mut queues = bus.queues(&"w1".into()).await?;
    fixture.ask::<String>(&format!("XADD {stream} * j 17")).await?;
    bus.enqueue(&[job("fast", None, Priority::Normal)], &[]).await?;
    let found = queues.read(&pools, 9, DEADLINE).await?;
    assert_eq!(found.len(), 1, "met by a take");

    // Met by a blocking read.
    let (read, added) = tokio::join!(
        queues.read(&pools, 9, Duration::from_millis(300)),
        fixture.ask::<String>("XADD {mr:q:fast:-}:low * x y"),
    );
    added?;
    assert!(read?.is_empty());

    // Met by a claim.
    fixture.ask::<String>(&format!("XADD {stream} * j null")).await?;
    fixture.ask::<()>(&format!("XREADGROUP GROUP workers elsewhere STREAMS {stream} >")).await?;
    eventually(DEADLINE, "the claim meets it", async || {
        let claimed = queues.claim_stale(&pools, Duration::ZERO, 9).await?;
        assert!(claimed.iter().all(|delivery| delivery.entry == found[0].entry));
        anyhow::Ok((letters(&fixture, stream).await?.len() == 2).then_some(()))
    })
    .await?;
    assert_eq!(letters(&fixture, "{mr:q:fast:-}:low").await?.len(), 1);

    bus.bury_job(&found[0], "takes its workers down").await?;
    assert_eq!(fixture.ask::<u64>(&format!("XLEN {stream}")).await?, 0);
    assert_eq!(letters(&fixture, stream).await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn events_that_do_not_read_or_record_are_set_aside() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    let stream = format!("{{mr:p{}}}:events", bus.partition_of(run));
    fixture.ask::<String>(&format!("XADD {stream} * e []")).await?;
    bus.commit(&[step(bus, run, 0, 1)]).await?;
    let mut recorder = bus.recorder("w1").await?;
    let good = recorder.read(64, DEADLINE).await?;
    assert_eq!(good.len(), 1);
    recorder.bury(&good[0], "violates wf_events_check").await?;
    let dead = letters(&fixture, &stream).await?;
    assert_eq!(dead.len(), 2);
    assert!(dead[0]["reason"].starts_with("not a readable event"));
    assert_eq!(dead[1]["content"], serde_json::to_string(&good[0].event)?);
    assert_eq!(recorder.lag().await?.entries, 0);
    Ok(())
}

#[tokio::test]
async fn what_was_set_aside_is_listed_newest_first_and_may_be_tried_again() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    let partition = bus.partition_of(run);
    bus.wake(run).await?;
    let mut inbox = bus.inbox("o1").await?;
    let wake = read_messages(&mut inbox, &[partition], 1).await?.remove(0);
    bus.bury_message(&wake, "for the test").await?;
    // Of two fields, and so not as anybody here writes.
    fixture.ask::<String>(&format!("XADD {{mr:p{partition}}}:inbox * m 1 x y")).await?;
    bus.commit(&[step(bus, run, 0, 1)]).await?;
    let mut recorder = bus.recorder("w1").await?;
    let event = recorder.read(64, DEADLINE).await?.remove(0);
    recorder.bury(&event, "no such column").await?;
    let odd = eventually(DEADLINE, "the odd one is set aside", async || {
        inbox.read(&[partition], 9, Duration::from_millis(50)).await?;
        anyhow::Ok(bus.buried(9).await?.into_iter().find(|letter| !letter.is_whole))
    })
    .await?;
    assert_eq!(odd.content, "m=1\nx=y\n");

    let listed = bus.buried(9).await?;
    assert!(listed.is_sorted_by(|newer, older| newer.since >= older.since), "{listed:?}");
    let of = |kind| listed.iter().find(|letter| letter.at.kind == kind && letter.is_whole);
    let message = of(BuriedIn::Inbox).context("the message")?;
    let recorded = of(BuriedIn::Events).context("the event")?;
    assert_eq!((message.reason.as_str(), recorded.reason.as_str()), ("for the test", "no such column"));
    assert_eq!(bus.buried(1).await?, listed[..1]);

    assert_eq!(bus.redo(&message.at).await?, Redone::PutBack);
    assert_eq!(read_messages(&mut inbox, &[partition], 1).await?[0].message, wake.message);
    assert_eq!(bus.redo(&message.at).await?, Redone::Unknown, "it is no dead letter any more");
    assert_eq!(bus.redo(&recorded.at).await?, Redone::PutBack);
    assert_eq!(recorder.read(64, DEADLINE).await?[0].event, event.event);
    assert_eq!(bus.redo(&odd.at).await?, Redone::NotWhole);
    assert_eq!(bus.redo(&"inbox:999:1-0".parse()?).await?, Redone::Unknown);
    assert_eq!(bus.buried(9).await?, [odd]);
    Ok(())
}
