use std::time::Duration;

use anyhow::Result;
use millrace_bus::{Commit, CommitOutcome};
use millrace_contracts::event::LogPosition;
use millrace_contracts::message::{Timer, TimerPurpose};
use millrace_contracts::{EventType, ExecutionId, UnixMillis};

use crate::support::{DEADLINE, Fixture, durable, live, step};

#[tokio::test]
async fn a_commit_writes_only_over_the_version_it_was_made_from() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    assert_eq!(bus.load_run(run).await?, None);

    let first = step(bus, run, 0, 1);
    assert_eq!(bus.commit(std::slice::from_ref(&first)).await?, [CommitOutcome::Committed]);
    assert_eq!(bus.commit(&[first]).await?, [CommitOutcome::Conflict], "a run that exists is not made again");

    let mut second = step(bus, run, 1, 2);
    second.set.push(("s:loop".into(), b"open".to_vec()));
    second.delete.push("n:detect".into());
    let outcomes = bus.commit(&[step(bus, run, 7, 2), second]).await?;
    assert_eq!(outcomes, [CommitOutcome::Conflict, CommitOutcome::Committed]);

    let stored = bus.load_run(run).await?.expect("the run is there");
    assert_eq!(stored.version, 2);
    assert_eq!(stored.fields.into_iter().collect::<Vec<_>>(), [("s:loop".to_owned(), b"open".to_vec())]);
    let both = [run, ExecutionId::generate()];
    assert_eq!(bus.fields(&both, "s:loop").await?, [Some(b"open".to_vec()), None]);
    assert_eq!(bus.fields(&[run], "n:detect").await?, [None], "it was removed");
    Ok(())
}

/// Whoever read a message before everything was lost must not begin the run that others begin anew.
#[tokio::test]
async fn a_first_step_is_void_once_its_message_is_gone() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    let partition = bus.partition_of(run);
    bus.wake(run).await?;
    let mut inbox = bus.inbox("o1").await?;
    let message = inbox.read(&[partition], 1, DEADLINE).await?.pop().expect("a message");
    let first = Commit { because: Some(message.entry.clone()), ..step(bus, run, 0, 1) };
    fixture.ask::<()>("FLUSHALL").await?;
    assert_eq!(bus.commit(std::slice::from_ref(&first)).await?, [CommitOutcome::Conflict]);
    assert_eq!(bus.load_run(run).await?, None);

    bus.wake(run).await?;
    let message = inbox.read(&[partition], 1, DEADLINE).await?.pop().expect("a message");
    let first = Commit { because: Some(message.entry.clone()), ..first };
    assert_eq!(bus.commit(std::slice::from_ref(&first)).await?, [CommitOutcome::Committed]);
    Ok(())
}

#[tokio::test]
async fn of_two_that_race_one_wins_and_the_other_writes_nothing() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    for version in 0..50 {
        let (mine, theirs) = ([step(bus, run, version, version + 1)], [step(bus, run, version, version + 1)]);
        let (mine, theirs) = tokio::try_join!(bus.commit(&mine), bus.commit(&theirs))?;
        let won = [mine, theirs].concat().into_iter().filter(|outcome| *outcome == CommitOutcome::Committed);
        assert_eq!(won.count(), 1);
    }
    let log = bus.log(run, LogPosition { epoch: 0, seq: 0 }, 100).await?;
    let seqs: Vec<u64> = log.iter().filter_map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=50).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn a_commit_that_can_never_be_written_is_rejected_and_the_others_are_not() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let (run, other, third) = (ExecutionId::generate(), ExecutionId::generate(), ExecutionId::generate());
    bus.commit(&[step(bus, run, 0, 5)]).await?;

    let behind = step(bus, run, 1, 5);
    let mut falling = step(bus, other, 0, 2);
    falling.durable.push(durable(other, 1));
    let mut unplaced = Commit::new(other, bus.partition_of(other), 0);
    unplaced.durable.push(live(EventType::NodeCompleted, other));
    let outcomes = bus.commit(&[behind, falling, unplaced, step(bus, third, 0, 1)]).await?;
    assert!(matches!(&outcomes[0], CommitOutcome::Rejected(why) if why.contains("past 1-5")), "{outcomes:?}");
    assert!(matches!(&outcomes[1], CommitOutcome::Rejected(_)), "{outcomes:?}");
    assert!(matches!(&outcomes[2], CommitOutcome::Rejected(_)), "{outcomes:?}");
    assert_eq!(outcomes[3], CommitOutcome::Committed);
    assert_eq!(bus.load_run(run).await?.expect("the run is there").version, 1);
    assert_eq!(bus.load_run(other).await?, None);
    Ok(())
}

#[tokio::test]
async fn an_ended_run_leaves_by_itself() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    let mut last = step(bus, run, 0, 1);
    last.expire_after = Some(Duration::from_secs(3600));
    bus.commit(&[last]).await?;
    let partition = bus.partition_of(run);
    for key in ["run", "log"] {
        let left: i64 = fixture.ask(&format!("PTTL {{mr:p{partition}}}:{key}:{run}")).await?;
        assert!((3_590_000..=3_600_000).contains(&left), "{key} has {left} ms left");
    }
    Ok(())
}

#[tokio::test]
async fn a_fan_out_of_thousands_fits_one_commit() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    let mut wide = Commit::new(run, bus.partition_of(run), 0);
    wide.set = (0..10_000).map(|item| (format!("n:crop[{item}]"), b"queued".to_vec())).collect();
    wide.durable = (1..=2_000).map(|seq| durable(run, seq)).collect();
    wide.set_timers = vec![(UnixMillis(1), Timer { execution_id: run, purpose: TimerPurpose::RunTimeout })];
    assert_eq!(bus.commit(&[wide]).await?, [CommitOutcome::Committed]);
    assert_eq!(bus.load_run(run).await?.expect("the run is there").fields.len(), 10_000);

    let mut narrow = Commit::new(run, bus.partition_of(run), 1);
    narrow.delete = (0..9_999).map(|item| format!("n:crop[{item}]")).collect();
    bus.commit(&[narrow]).await?;
    assert_eq!(bus.load_run(run).await?.expect("the run is there").fields.len(), 1);
    Ok(())
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_loaded_again() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let runs: Vec<_> = (0..20).map(|_| ExecutionId::generate()).collect();
    fixture.ask::<()>("SCRIPT FLUSH SYNC").await?;
    let commits: Vec<_> = runs.iter().map(|run| step(bus, *run, 0, 1)).collect();
    assert_eq!(bus.commit(&commits).await?, vec![CommitOutcome::Committed; 20]);
    Ok(())
}

#[tokio::test]
async fn of_runs_that_ended_so_many_stay_and_none_goes_before_it_is_recorded() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let of_one_partition = |run: &ExecutionId| bus.partition_of(*run).0 == 0;
    let runs: Vec<_> =
        std::iter::repeat_with(ExecutionId::generate).filter(of_one_partition).take(5).collect();
    let end = async |run: ExecutionId| -> Result<()> {
        let last = Commit {
            expire_after: Some(Duration::from_secs(3600)),
            keep_finished: 2,
            ..step(bus, run, 0, 1)
        };
        assert_eq!(bus.commit(&[last]).await?, [CommitOutcome::Committed]);
        Ok(())
    };
    let left = async || -> Result<Vec<bool>> {
        Ok(bus.load_runs(&runs).await?.iter().map(Option::is_some).collect())
    };
    for run in &runs[..4] {
        end(*run).await?;
    }
    assert_eq!(left().await?, [true, true, true, true, false], "nobody has recorded them");

    let mut recorder = bus.recorder("writer").await?;
    let mut recorded = 0;
    while recorded < 4 {
        let entries = recorder.read(10, DEADLINE).await?;
        recorded += entries.len();
        let done: Vec<_> = entries.into_iter().map(|entry| (entry.partition, entry.entry)).collect();
        recorder.ack(&done).await?;
    }
    // What ends in the same millisecond as something that is not recorded waits for the next end.
    let now = bus.time().await?;
    while bus.time().await? <= now {}
    end(runs[4]).await?;
    assert_eq!(left().await?, [false, false, false, true, true]);
    let logs = bus.log(runs[0], LogPosition { epoch: 0, seq: 0 }, 10).await?;
    assert!(logs.is_empty(), "its log went with it");
    Ok(())
}
