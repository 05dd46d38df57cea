//! Stamps of saved workflows.

use anyhow::Result;
use millrace_contracts::WorkflowId;

use crate::support::Fixture;

#[tokio::test]
async fn a_stamp_stays_until_it_is_renewed_or_lost() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (one, other) = (WorkflowId::generate(), WorkflowId::generate());
    let stamp = fixture.bus.workflow_stamp(one).await?;
    assert_eq!(fixture.bus.workflow_stamp(one).await?, stamp);
    assert_ne!(fixture.bus.workflow_stamp(other).await?, stamp);
    fixture.bus.renew_workflow_stamp(one).await?;
    let renewed = fixture.bus.workflow_stamp(one).await?;
    assert_ne!(renewed, stamp);
    fixture.ask::<()>("FLUSHALL").await?;
    assert_ne!(fixture.bus.workflow_stamp(one).await?, renewed);
    Ok(())
}
