use anyhow::Result;
use millrace_contracts::{BlobId, WorkflowId};
use millrace_store::{Definition, NewWorkflow, StoreError};
use serde_json::json;

use crate::support::Fixture;

fn workflow(name: &str, threshold: f64) -> NewWorkflow {
    let json = json!({"zeta": 1, "nodes": [{"id": "a", "config": {"min": threshold}}], "alpha": "\u{0}"});
    NewWorkflow {
        name: name.to_owned(),
        definition: Definition { id: BlobId::of(json.to_string().as_bytes()), json },
    }
}

#[tokio::test]
async fn versions_are_kept_and_conditional_writes_do_not_overwrite() -> Result<()> {
    let fixture = Fixture::start().await?;
    let workflows = fixture.store.workflows();
    let id = WorkflowId::generate();
    let first = workflows.create(id, &workflow("count", 0.1)).await?;
    assert_eq!((first.version, first.latest_version), (1, 1));
    let again = workflows.create(id, &workflow("count", 0.1)).await;
    assert!(matches!(&again, Err(StoreError::Conflict { constraint }) if constraint == "wf_workflows_pkey"));

    let second = workflows.put(id, Some(1), &workflow("count", 0.2)).await?;
    assert_eq!(second.version, 2);
    let stale = workflows.put(id, Some(1), &workflow("count", 0.3)).await;
    assert!(matches!(stale, Err(StoreError::Stale { current: 2 })));

    let stored = workflows.get_version(id, 1).await?;
    assert_eq!(stored.definition["nodes"], first.definition["nodes"]);
    let keys: Vec<_> = stored.definition.as_object().into_iter().flat_map(|object| object.keys()).collect();
    assert_eq!(keys, ["zeta", "nodes", "alpha"], "in the order in which they were written");
    assert_eq!((stored.version, stored.latest_version), (1, 2));
    assert_eq!(workflows.get(id).await?.version, 2);
    let versions = workflows.versions(id).await?;
    assert_eq!(versions.iter().map(|version| version.version).collect::<Vec<_>>(), [2, 1]);
    assert!(matches!(workflows.get_version(id, 9).await, Err(StoreError::NotFound("workflow version"))));
    Ok(())
}

#[tokio::test]
async fn a_deleted_workflow_is_gone_and_not_unknown() -> Result<()> {
    let fixture = Fixture::start().await?;
    let workflows = fixture.store.workflows();
    let ids: Vec<_> = (0..5).map(|_| WorkflowId::generate()).collect();
    for id in &ids {
        workflows.create(*id, &workflow("shared definition", 0.5)).await?;
    }
    assert_eq!(fixture.count("select count(*) from wf_definitions").await?, 1);
    let page = workflows.list(None, None, 2).await?;
    assert_eq!(page.iter().map(|workflow| workflow.id).collect::<Vec<_>>(), [ids[4], ids[3]]);
    let page = workflows.list(None, Some(ids[3]), 2).await?;
    assert_eq!(page.iter().map(|workflow| workflow.id).collect::<Vec<_>>(), [ids[2], ids[1]]);

    let other = WorkflowId::generate();
    workflows.create(other, &workflow("100 % Other", 0.5)).await?;
    let named = async |name: &str, before| workflows.list(Some(name), before, 2).await;
    assert_eq!(named("% o", None).await?.iter().map(|found| found.id).collect::<Vec<_>>(), [other]);
    let page = named("DEFINITION", Some(ids[4])).await?;
    assert_eq!(page.iter().map(|found| found.id).collect::<Vec<_>>(), [ids[3], ids[2]]);
    assert_eq!(named("sha_ed", None).await?, []);

    assert!(matches!(workflows.delete(ids[0], Some(7)).await, Err(StoreError::Stale { current: 1 })));
    workflows.delete(ids[0], Some(1)).await?;
    assert!(matches!(workflows.get(ids[0]).await, Err(StoreError::Gone("workflow"))));
    let put = workflows.put(ids[0], None, &workflow("x", 0.5)).await;
    assert!(matches!(put, Err(StoreError::Gone("workflow"))));
    assert!(matches!(workflows.get(WorkflowId::generate()).await, Err(StoreError::NotFound("workflow"))));
    let nameless = workflows.create(WorkflowId::generate(), &workflow("", 0.5)).await;
    assert!(
        matches!(&nameless, Err(StoreError::Data { reason }) if reason.contains("wf_workflows_name_length"))
    );
    Ok(())
}
