use anyhow::Result;
use millrace_contracts::message::RerunOf;
use millrace_contracts::{ExecutionId, ExecutionStatus, ScheduleId, UnixMillis, WorkflowId};
use millrace_store::{AcceptedRun, ExecutionFilter};
use serde_json::{Map, json};

use crate::story::Story;
use crate::support::Fixture;

/// 40 runs: every other of a workflow, every fourth labelled, the first ten completed.
async fn fill(fixture: &Fixture) -> Result<(WorkflowId, Vec<ExecutionId>)> {
    let workflow = WorkflowId::generate();
    let mut runs: Vec<AcceptedRun> = (0..40).map(|_| Story::new().run()).collect();
    for (index, run) in runs.iter_mut().enumerate() {
        run.accepted.workflow_id = (index % 2 == 0).then_some(workflow);
        if index % 4 == 0 {
            run.labels = Map::from_iter([("team".to_owned(), json!("blue"))]);
        }
    }
    fixture.store.accept(&runs).await?;
    let ids: Vec<_> = runs.iter().map(|run| run.accepted.execution_id).collect();
    for id in &ids[..10] {
        fixture.execute(&format!("update wf_executions set status = 'completed' where id = '{id}'")).await?;
    }
    Ok((workflow, ids))
}

async fn walk(fixture: &Fixture, filter: &ExecutionFilter) -> Result<Vec<ExecutionId>> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = fixture.store.executions().list(filter, cursor, 7).await?;
        let Some(last) = page.last() else { return Ok(found) };
        cursor = Some(last.id);
        found.extend(page.iter().map(|run| run.id));
        // Runs that arrive between the pages are newer than the cursor and never show up behind it.
        fixture.store.accept(&[Story::new().run()]).await?;
    }
}

#[tokio::test]
async fn pages_are_newest_first_complete_and_stable() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (workflow, ids) = fill(&fixture).await?;
    let newest_first = |keep: fn(usize) -> bool| -> Vec<ExecutionId> {
        ids.iter().enumerate().rev().filter(|(index, _)| keep(*index)).map(|(_, id)| *id).collect()
    };
    let blue = Some(("team".to_owned(), "blue".to_owned()));
    let none = ExecutionFilter::default;

    assert_eq!(walk(&fixture, &none()).await?, newest_first(|_| true));
    let of_workflow = ExecutionFilter { workflow_id: Some(workflow), ..none() };
    assert_eq!(walk(&fixture, &of_workflow).await?, newest_first(|index| index % 2 == 0));
    let labelled = ExecutionFilter { label: blue.clone(), ..none() };
    assert_eq!(walk(&fixture, &labelled).await?, newest_first(|index| index % 4 == 0));
    let completed = ExecutionFilter { status: Some(ExecutionStatus::Completed), ..none() };
    assert_eq!(walk(&fixture, &completed).await?, newest_first(|index| index < 10));
    let all_of_it = ExecutionFilter {
        status: Some(ExecutionStatus::Completed),
        workflow_id: Some(workflow),
        label: blue,
        ..none()
    };
    assert_eq!(walk(&fixture, &all_of_it).await?, newest_first(|index| index < 10 && index % 4 == 0));
    Ok(())
}

#[tokio::test]
async fn runs_of_a_schedule_and_reruns_are_found() -> Result<()> {
    let fixture = Fixture::start().await?;
    let schedule = ScheduleId::generate();
    let mut runs: Vec<AcceptedRun> = (0..4).map(|_| Story::new().run()).collect();
    let ids: Vec<_> = runs.iter().map(|run| run.accepted.execution_id).collect();
    runs[1].accepted.schedule_id = Some(schedule);
    let again = RerunOf { execution_id: ids[0], from: Some("detect".into()) };
    runs[2].accepted.rerun_of = Some(again.clone());
    runs[3].accepted.rerun_of = Some(RerunOf { execution_id: ids[0], from: None });
    runs[3].labels = Map::from_iter([("team".to_owned(), json!("blue"))]);
    runs[3].batch_id = Some(uuid::Uuid::now_v7());
    fixture.store.accept(&runs).await?;
    let list = async |filter: ExecutionFilter| {
        let page = fixture.store.executions().list(&filter, None, 10).await?;
        anyhow::Ok(page.into_iter().map(|run| (run.id, run.schedule_id, run.rerun_of)).collect::<Vec<_>>())
    };
    let none = ExecutionFilter::default;
    let of_schedule = ExecutionFilter { schedule_id: Some(schedule), ..none() };
    assert_eq!(list(of_schedule.clone()).await?, [(ids[1], Some(schedule), None)]);
    let reruns = ExecutionFilter { rerun_of: Some(ids[0]), ..none() };
    let found = list(reruns.clone()).await?;
    assert_eq!(found.iter().map(|run| run.0).collect::<Vec<_>>(), [ids[3], ids[2]]);
    assert_eq!(found[1].2, Some(again));
    let blue = Some(("team".to_owned(), "blue".to_owned()));
    let narrower = [
        ExecutionFilter { label: blue.clone(), ..reruns.clone() },
        ExecutionFilter { batch_id: runs[3].batch_id, ..reruns.clone() },
    ];
    for filter in narrower {
        assert_eq!(list(filter).await?.len(), 1);
    }
    let nothing = [
        ExecutionFilter { schedule_id: Some(schedule), ..reruns },
        ExecutionFilter { label: blue, ..of_schedule.clone() },
        ExecutionFilter { status: Some(ExecutionStatus::Completed), ..of_schedule.clone() },
        ExecutionFilter { workflow_id: Some(WorkflowId::generate()), ..of_schedule.clone() },
        ExecutionFilter { batch_id: runs[3].batch_id, ..of_schedule },
        ExecutionFilter { schedule_id: Some(ScheduleId::generate()), ..none() },
    ];
    for filter in nothing {
        assert_eq!(list(filter.clone()).await?, [], "{filter:?}");
    }
    Ok(())
}

#[tokio::test]
async fn times_and_batches_narrow_the_list() -> Result<()> {
    let fixture = Fixture::start().await?;
    let batch = Some(uuid::Uuid::now_v7());
    let mut story = Story::new();
    let mut run = story.run();
    run.batch_id = batch;
    let at = story.accepted.created_at;
    story = Story::new();
    fixture.store.accept(&[run.clone(), story.run()]).await?;
    let list = async |filter: ExecutionFilter| fixture.store.executions().list(&filter, None, 10).await;

    let found = list(ExecutionFilter { batch_id: batch, ..ExecutionFilter::default() }).await?;
    assert_eq!(found.iter().map(|found| found.id).collect::<Vec<_>>(), [run.accepted.execution_id]);
    let from = ExecutionFilter { from: Some(at), ..ExecutionFilter::default() };
    assert_eq!(list(from).await?.len(), 2);
    let until = ExecutionFilter { to: Some(at), ..ExecutionFilter::default() };
    assert!(list(until).await?.is_empty(), "the end is exclusive");
    let later = UnixMillis(at.0 + 3_600_000);
    assert!(list(ExecutionFilter { from: Some(later), ..ExecutionFilter::default() }).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_sweeper_can_walk_all_unfinished_runs_in_steps() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (_, ids) = fill(&fixture).await?;
    let later = UnixMillis(UnixMillis::now().0 + 1000);
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let step = fixture.store.executions().unfinished(later, after, 7).await?;
        let Some(last) = step.last() else { break };
        after = Some(last.accepted.execution_id);
        found.extend(step.iter().map(|run| run.accepted.execution_id));
    }
    assert_eq!(found, ids[10..]);
    Ok(())
}

#[tokio::test]
async fn node_runs_of_a_loop_come_in_the_order_of_their_items() -> Result<()> {
    let fixture = Fixture::start().await?;
    let run = Story::new().run;
    fixture
        .execute(&format!(
            "insert into wf_node_runs (execution_id, node_id, path, block, status)
            select '{run}', 'crop', format('[%s]', n), 'crop@1', 'completed' from generate_series(0, 24) n"
        ))
        .await?;
    let nodes = fixture.store.node_runs();
    let mut found = nodes.list(run, None, None, 10).await?;
    while let Some(last) = found.last().cloned() {
        let page = nodes.list(run, Some(&"crop".into()), Some((&last.node_id, &last.path)), 10).await?;
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    let items: Vec<u32> = found.iter().map(|node| node.path.indices()[0]).collect();
    assert_eq!(items, (0..25).collect::<Vec<_>>());
    Ok(())
}

/// Most databases sort text by a language; ours in tests does not, unless it is told to.
#[tokio::test]
async fn node_runs_are_in_the_same_order_whatever_the_database_sorts_by() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.execute("alter table wf_node_runs alter column node_id type text collate \"en-x-icu\"").await?;
    let run = Story::new().run;
    fixture
        .execute(&format!(
            "insert into wf_node_runs (execution_id, node_id, path, block, status)
            select '{run}', node, '', 'crop@1', 'completed' from unnest(array['a', 'B', 'a_b', 'ab', 'aB', 'A']) node"
        ))
        .await?;
    let nodes = fixture.store.node_runs();
    let mut found = nodes.list(run, None, None, 1).await?;
    while let Some(last) = found.last().cloned() {
        let page = nodes.list(run, None, Some((&last.node_id, &last.path)), 1).await?;
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    let found: Vec<&str> = found.iter().map(|node| node.node_id.as_str()).collect();
    assert_eq!(found, ["A", "B", "a", "aB", "a_b", "ab"]);
    Ok(())
}
