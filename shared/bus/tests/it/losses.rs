//! FLUSHALL, a killed server, a killed connection: everybody goes on.

use std::time::Duration;

use anyhow::Result;
use millrace_bus::{Bus, BusSettings, CommitOutcome, Flaw};
use millrace_contracts::job::Priority;
use millrace_contracts::message::Message;
use millrace_contracts::{ExecutionId, Pool};
use millrace_testkit::eventually;

use crate::support::{DEADLINE, Fixture, free_port, job, read_messages, step};

#[tokio::test]
async fn readers_go_on_after_flushall() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let (before, after) = (ExecutionId::generate(), ExecutionId::generate());
    let pools: [Pool; 1] = ["cpu".into()];
    let partitions: Vec<_> = bus.all_partitions().collect();
    let mut inbox = bus.inbox("o1").await?;
    let mut recorder = bus.recorder("w1").await?;
    let mut queues = bus.queues(&"worker".into()).await?;
    bus.wake(before).await?;
    bus.commit(&[step(bus, before, 0, 1)]).await?;
    bus.enqueue(&[job("cpu", None, Priority::Normal)], &[]).await?;
    assert_eq!(read_messages(&mut inbox, &partitions, 1).await?.len(), 1);
    assert_eq!(recorder.read(10, DEADLINE).await?.len(), 1);
    assert_eq!(queues.read(&pools, 1, DEADLINE).await?.len(), 1);

    let lost = async {
        // All three are blocked by now, or will find the streams gone.
        fixture.ask::<()>("FLUSHALL").await?;
        bus.wake(after).await?;
        assert_eq!(bus.commit(&[step(bus, after, 0, 1)]).await?, [CommitOutcome::Committed]);
        bus.enqueue(&[job("cpu", None, Priority::Normal)], &[]).await?;
        anyhow::Ok(())
    };
    let reads = async {
        let (messages, records, jobs) = tokio::join!(
            read_messages(&mut inbox, &partitions, 1),
            recorder.read(10, DEADLINE),
            queues.read(&pools, 1, DEADLINE),
        );
        anyhow::Ok((messages?, records?, jobs?))
    };
    let ((messages, records, jobs), ()) = tokio::try_join!(reads, lost)?;
    assert_eq!(messages[0].message, Message::Wake { execution_id: after });
    assert_eq!(records[0].event.execution_id, Some(after));
    assert_eq!(jobs.len(), 1);
    Ok(())
}

#[tokio::test]
async fn everybody_goes_on_after_the_server_was_killed() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let bus = fixture.bus.clone();
    let run = ExecutionId::generate();
    let pools: [Pool; 1] = ["cpu".into()];
    let partitions: Vec<_> = bus.all_partitions().collect();
    let mut inbox = bus.inbox("o1").await?;
    let mut queues = bus.queues(&"worker".into()).await?;
    assert!(inbox.read(&partitions, 8, Duration::from_millis(1)).await?.is_empty());

    let server = fixture.redis.server();
    let port = server.port();
    let restart = async {
        server.kill().await;
        server.restart().await?;
        anyhow::ensure!(server.port() == port, "the port was taken meanwhile");
        // The first commands may meet the dead connection; every one may be repeated.
        eventually(DEADLINE, "commands go through", async || bus.ping().await.map(Some)).await?;
        bus.wake(run).await?;
        assert_eq!(bus.commit(&[step(&bus, run, 0, 1)]).await?, [CommitOutcome::Committed]);
        bus.enqueue(&[job("cpu", None, Priority::Normal)], &[]).await?;
        anyhow::Ok(())
    };
    let reads = async {
        let (messages, jobs) =
            tokio::join!(read_messages(&mut inbox, &partitions, 1), queues.read(&pools, 1, DEADLINE));
        anyhow::Ok((messages?, jobs?))
    };
    let ((messages, jobs), ()) = tokio::try_join!(reads, restart)?;
    assert_eq!(messages[0].message, Message::Wake { execution_id: run });
    assert_eq!(jobs.len(), 1);
    Ok(())
}

#[tokio::test]
async fn cut_connections_are_made_anew_without_an_error() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    let partitions = [bus.partition_of(run)];
    let mut inbox = bus.inbox("o1").await?;
    let read = async { read_messages(&mut inbox, &partitions, 5).await };
    let cuts = async {
        for _ in 0..5 {
            fixture.ask::<i64>("CLIENT KILL TYPE normal SKIPME yes").await?;
            bus.wake(run).await?;
        }
        anyhow::Ok(())
    };
    let (messages, ()) = tokio::try_join!(read, cuts)?;
    assert!(messages.len() >= 5, "at least once");
    Ok(())
}

#[tokio::test]
async fn one_attempt_says_at_once_what_is_wrong() -> Result<()> {
    let fixture = Fixture::start().await?;
    let reach = async |url: String| {
        // Connecting goes on trying for longer than this.
        let tried = tokio::time::timeout(Duration::from_secs(3), Bus::reach(&BusSettings::new(url))).await?;
        anyhow::Ok(tried.err().map(|error| error.to_string()).unwrap_or_default())
    };
    assert_eq!(reach(fixture.redis.url()).await?, "");
    let gone = reach(format!("redis://127.0.0.1:{}", free_port()?)).await?;
    assert!(gone.contains("refused"), "{gone}");
    let wrong = reach(fixture.redis.url().replace("redis://default:", "redis://default:not-")).await?;
    assert!(wrong.contains("WRONGPASS") || wrong.contains("uthentication"), "{wrong}");
    assert!(wrong.contains("redis.url") && !wrong.contains("check that it runs"), "{wrong}");
    assert!(!wrong.contains("not-"), "the password is not told: {wrong}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_drops_what_it_likes_is_told_of() -> Result<()> {
    let fixture = Fixture::start().await?;
    assert_eq!(fixture.bus.flaws().await?, []);
    for (setting, value) in [("maxmemory", "100mb"), ("maxmemory-policy", "allkeys-lru")] {
        fixture.ask::<()>(&format!("CONFIG SET {setting} {value}")).await?;
    }
    assert_eq!(fixture.bus.flaws().await?, [Flaw::Evicts { policy: "allkeys-lru".to_owned() }]);
    Ok(())
}
