use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;
use millrace_store::{AcceptOutcome, GroupCommit, GroupCommitError, GroupCommitSettings};
use millrace_testkit::{TestPostgres, eventually};
use tokio::sync::oneshot;

use crate::story::Story;
use crate::support::Fixture;

#[tokio::test]
async fn many_submissions_share_few_commits() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (handle, committer) = GroupCommit::new(fixture.store.clone(), GroupCommitSettings::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(committer.run(async move { drop(stopped.await) }));
    let before =
        fixture.count("select xact_commit from pg_stat_database where datname = current_database()").await?;
    let outcomes = join_all((0..500).map(|_| handle.accept(Story::new().run()))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Ok(AcceptOutcome::Accepted)));
    assert_eq!(fixture.count("select count(*) from wf_executions").await?, 500);
    let after =
        fixture.count("select xact_commit from pg_stat_database where datname = current_database()").await?;
    assert!(after - before < 100, "{} transactions for 500 runs", after - before);
    drop(stop);
    running.await?;
    assert_eq!(handle.accept(Story::new().run()).await, Err(GroupCommitError::Closed));
    Ok(())
}

#[tokio::test]
async fn what_was_queued_before_the_end_is_committed_and_the_queue_is_bounded() -> Result<()> {
    let fixture = Fixture::start().await?;
    let settings = GroupCommitSettings { max_waiting: 3, max_batch: 2 };
    let (handle, committer) = GroupCommit::new(fixture.store.clone(), settings);
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(handle.accept(Story::new().run()))).collect();
    for request in &mut waiting {
        assert!(futures::poll!(request).is_pending());
    }
    assert_eq!(handle.waiting(), 3);
    assert_eq!(handle.accept(Story::new().run()).await, Err(GroupCommitError::Overloaded));
    committer.run(std::future::ready(())).await;
    for outcome in join_all(waiting).await {
        assert_eq!(outcome, Ok(AcceptOutcome::Accepted));
    }
    assert_eq!(fixture.count("select count(*) from wf_executions").await?, 3);
    Ok(())
}

#[tokio::test]
async fn one_refused_run_does_not_spoil_the_others() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.execute("alter table wf_executions add constraint no_pool check (pool is null)").await?;
    let (handle, committer) = GroupCommit::new(fixture.store.clone(), GroupCommitSettings::default());
    let mut culprit = Story::new().run();
    culprit.accepted.pool = Some("odd".into());
    let (stop, stopped) = oneshot::channel::<()>();
    let requests = [Story::new().run(), culprit, Story::new().run()].map(|run| handle.accept(run));
    let (outcomes, ()) = tokio::join!(
        async {
            let outcomes = join_all(requests).await;
            drop(stop);
            outcomes
        },
        committer.run(async move { drop(stopped.await) })
    );
    assert_eq!(outcomes[0], Ok(AcceptOutcome::Accepted));
    assert!(matches!(&outcomes[1], Err(GroupCommitError::Refused(reason)) if reason.contains("no_pool")));
    assert_eq!(outcomes[2], Ok(AcceptOutcome::Accepted));
    Ok(())
}

#[tokio::test]
async fn without_postgres_the_answer_is_quick_and_says_so() -> Result<()> {
    let mut fixture = Fixture::on(TestPostgres::start_alone().await?).await?;
    fixture.postgres.server().expect("nobody shares it").kill().await;
    let (handle, committer) = GroupCommit::new(fixture.store.clone(), GroupCommitSettings::default());
    let running = tokio::spawn(committer.run(std::future::pending()));
    let begun = std::time::Instant::now();
    let outcome = handle.accept(Story::new().run()).await;
    assert!(matches!(outcome, Err(GroupCommitError::Unavailable(_))), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert!(!handle.is_prompt(), "nothing is begun now that may have to be taken back");
    // From then on nobody waits to find out what is known.
    let begun = std::time::Instant::now();
    for _ in 0..100 {
        let outcome = handle.accept(Story::new().run()).await;
        assert!(matches!(outcome, Err(GroupCommitError::Unavailable(_))), "{outcome:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?} for a hundred refusals", begun.elapsed());

    fixture.postgres.server().expect("nobody shares it").restart().await?;
    eventually(Duration::from_secs(20), "a run is accepted again", async || {
        handle.accept(Story::new().run()).await.map(Some)
    })
    .await?;
    eventually(Duration::from_secs(5), "commits are prompt again", async || {
        anyhow::Ok(handle.is_prompt().then_some(()))
    })
    .await?;
    running.abort();
    Ok(())
}

#[tokio::test]
async fn a_line_of_slow_commits_does_not_stall_and_one_that_hangs_does() -> Result<()> {
    const LONG: Duration = Duration::from_secs(1);
    let fixture = Fixture::start().await?;
    fixture
        .execute(
            "create function slow() returns trigger language plpgsql as $$
            begin perform pg_sleep(case when new.pool = 'hangs' then 60 else 0.25 end); return new; end $$",
        )
        .await?;
    fixture
        .execute("create trigger slow before insert on wf_executions for each row execute function slow()")
        .await?;
    let settings = GroupCommitSettings { max_batch: 1, ..GroupCommitSettings::default() };
    let (handle, committer) = GroupCommit::new(fixture.store.clone(), settings);
    let running = tokio::spawn(committer.run(std::future::pending()));
    let line = join_all((0..8).map(|_| handle.accept(Story::new().run())));
    let outcomes = tokio::select! {
        outcomes = line => outcomes,
        () = handle.stalled(LONG) => anyhow::bail!("two seconds in all, and none of the commits took one"),
    };
    assert!(outcomes.iter().all(|outcome| *outcome == Ok(AcceptOutcome::Accepted)), "{outcomes:?}");
    let mut hangs = Story::new().run();
    hangs.accepted.pool = Some("hangs".into());
    tokio::select! {
        outcome = handle.accept(hangs) => anyhow::bail!("{outcome:?}"),
        () = handle.stalled(LONG) => {}
    }
    running.abort();
    Ok(())
}
