use std::time::Duration;

use anyhow::{Context, Result};
use millrace_contracts::{BlobId, ExecutionStatus};
use millrace_store::{AcceptOutcome, AcceptedRun, Definition, Store, StoreError, WholeOutcome};
use serde_json::{Map, json};

use crate::story::Story;
use crate::support::Fixture;

#[tokio::test]
async fn an_accepted_run_can_be_read_and_started_again_from_its_row() -> Result<()> {
    let fixture = Fixture::start().await?;
    let story = Story::new();
    let mut run = story.run();
    run.labels = Map::from_iter([("team".to_owned(), json!("blue"))]);
    run.definition = Some(Definition { id: story.accepted.definition, json: json!({"b": 1, "a": 2}) });
    assert_eq!(fixture.store.accept(&[run]).await?, [AcceptOutcome::Accepted]);

    let record = fixture.store.executions().get(story.run).await?;
    assert_eq!(record.summary.status, ExecutionStatus::Pending);
    assert_eq!(record.summary.created_at, story.accepted.created_at);
    assert_eq!(record.summary.labels["team"], "blue");
    assert_eq!(record.input, story.accepted.input);

    let later = millrace_contracts::UnixMillis(story.accepted.created_at.0 + 1);
    let unfinished = fixture.store.executions().unfinished(later, None, 10).await?;
    assert_eq!(unfinished.len(), 1);
    assert_eq!(unfinished[0].accepted, story.accepted);
    assert_eq!(unfinished[0].last_epoch, None);
    let alone = fixture.store.executions().unfinished_run(story.run).await?;
    assert_eq!(alone.as_ref(), unfinished.first());
    let too_young = fixture.store.executions().unfinished(story.accepted.created_at, None, 10).await?;
    assert!(too_young.is_empty());
    Ok(())
}

#[tokio::test]
async fn accepting_the_same_run_again_changes_nothing() -> Result<()> {
    let fixture = Fixture::start().await?;
    let run = Story::new().run();
    let twice = [run.clone(), run.clone()];
    assert_eq!(fixture.store.accept(&twice).await?, [AcceptOutcome::Accepted; 2]);
    let before = fixture.picture().await?;
    fixture.store.accept(&[run]).await?;
    assert_eq!(fixture.picture().await?, before);
    assert_eq!(before.len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_idempotency_key_gives_the_earlier_run_for_24_hours() -> Result<()> {
    let fixture = Fixture::start().await?;
    let with_key = || {
        let mut run = Story::new().run();
        run.idempotency_key = Some("owner/key".to_owned());
        run.idempotency_digest = Some(BlobId::of(b"what was asked for"));
        run.trace_id = Some("abc".to_owned());
        run
    };
    let holder_of = async |store: &Store| store.executions().by_idempotency_key("owner/key").await;
    let (first, second, third) = (with_key(), with_key(), with_key());
    let first_id = first.accepted.execution_id;
    // Within one batch too: the first holds the key.
    let outcomes = fixture.store.accept(&[first, second]).await?;
    assert_eq!(outcomes, [AcceptOutcome::Accepted, AcceptOutcome::Earlier(first_id)]);
    assert_eq!(fixture.store.accept(std::slice::from_ref(&third)).await?, [AcceptOutcome::Earlier(first_id)]);
    let holder = holder_of(&fixture.store).await?.context("a holder")?;
    assert_eq!((holder.id, holder.digest), (first_id, Some(BlobId::of(b"what was asked for"))));
    assert_eq!(holder.trace_id.as_deref(), Some("abc"));
    let several = ["owner/other".to_owned(), "owner/key".to_owned()];
    assert_eq!(fixture.store.executions().by_idempotency_keys(&several).await?, [None, Some(holder)]);
    assert_eq!(fixture.count("select count(*) from wf_executions").await?, 1);

    fixture.execute("update wf_executions set created_at = created_at - interval '25 hours'").await?;
    assert_eq!(holder_of(&fixture.store).await?, None);
    assert_eq!(fixture.store.accept(std::slice::from_ref(&third)).await?, [AcceptOutcome::Accepted]);
    let holder = holder_of(&fixture.store).await?;
    assert_eq!(holder.as_ref().map(|holder| holder.id), Some(third.accepted.execution_id));

    // With another window, for as long as that.
    let longer = fixture.store.clone().with_idempotency_window(Duration::from_secs(48 * 3_600));
    fixture.execute("update wf_executions set created_at = created_at - interval '25 hours'").await?;
    assert_eq!(longer.accept(&[with_key()]).await?, [AcceptOutcome::Earlier(third.accepted.execution_id)]);
    assert_eq!(holder_of(&longer).await?, holder);
    Ok(())
}

#[tokio::test]
async fn what_belongs_together_is_accepted_whole_or_not_at_all() -> Result<()> {
    let fixture = Fixture::start().await?;
    let with_key = |key: &str| {
        let mut run = Story::new().run();
        run.idempotency_key = Some(key.to_owned());
        run
    };
    let ids =
        |runs: &[AcceptedRun]| runs.iter().map(|run| Some(run.accepted.execution_id)).collect::<Vec<_>>();
    let first = [with_key("b/0"), with_key("b/1")];
    assert_eq!(fixture.store.accept_whole(&first).await?, WholeOutcome::Accepted);
    let again = [with_key("b/0"), with_key("b/1")];
    assert_eq!(fixture.store.accept_whole(&again).await?, WholeOutcome::Earlier(ids(&first)));
    let more = [with_key("b/0"), with_key("b/1"), with_key("b/2")];
    let held = [&ids(&first)[..], &[None]].concat();
    assert_eq!(fixture.store.accept_whole(&more).await?, WholeOutcome::Earlier(held));
    assert_eq!(fixture.count("select count(*) from wf_executions").await?, 2);

    // One that Postgres refuses takes the others along.
    fixture.execute("alter table wf_executions add constraint odd check (region <> 'odd') not valid").await?;
    let mut odd = with_key("c/1");
    odd.accepted.region = Some("odd".to_owned());
    let refused = fixture.store.accept_whole(&[with_key("c/0"), odd]).await;
    assert!(matches!(refused, Err(StoreError::Data { .. })), "{refused:?}");
    assert_eq!(fixture.count("select count(*) from wf_executions").await?, 2);
    assert_eq!(fixture.store.accept_whole(&[with_key("c/0")]).await?, WholeOutcome::Accepted);
    Ok(())
}

#[tokio::test]
async fn of_many_who_use_one_key_at_once_one_is_accepted() -> Result<()> {
    let fixture = Fixture::start().await?;
    let attempts = (0..8).map(|_| {
        let mut run = Story::new().run();
        run.idempotency_key = Some("contended".to_owned());
        let store = fixture.store.clone();
        async move { store.accept(&[run]).await }
    });
    let outcomes = futures::future::try_join_all(attempts).await?;
    let accepted = outcomes.iter().filter(|outcome| outcome[0] == AcceptOutcome::Accepted).count();
    assert_eq!(accepted, 1);
    assert_eq!(fixture.count("select count(*) from wf_executions").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_run_that_was_recorded_before_its_commit_keeps_both_halves() -> Result<()> {
    let fixture = Fixture::start().await?;
    let story = Story::completed();
    fixture.record(&story.events).await?;
    let mut run = story.run();
    run.labels = Map::from_iter([("late".to_owned(), json!("yes"))]);
    run.trace_id = Some("abc".to_owned());
    assert_eq!(fixture.store.accept(&[run]).await?, [AcceptOutcome::Accepted]);
    let record = fixture.store.executions().get(story.run).await?;
    assert_eq!(record.summary.status, ExecutionStatus::Completed);
    assert_eq!(record.summary.labels["late"], "yes");
    assert_eq!(record.trace_id.as_deref(), Some("abc"));
    Ok(())
}

#[tokio::test]
async fn text_that_postgres_cannot_hold_is_made_holdable() -> Result<()> {
    let fixture = Fixture::start().await?;
    let story = Story::new();
    let mut run = story.run();
    run.accepted.input.insert("text".to_owned(), json!("nul \u{0} inside"));
    fixture.store.accept(&[run]).await?;
    let record = fixture.store.executions().get(story.run).await?;
    assert_eq!(record.input["text"], "nul \u{fffd} inside");
    Ok(())
}

#[tokio::test]
async fn what_was_never_accepted_is_not_found() -> Result<()> {
    let fixture = Fixture::start().await?;
    let missing = fixture.store.executions().get(Story::new().run).await;
    assert!(matches!(missing, Err(StoreError::NotFound("execution"))), "{missing:?}");
    Ok(())
}
