//! Jobs of a run that nobody will take up as things are: no worker serves their pool. That is no fault, since workers may be started
//! once there is work for them; but who looks at a run that stands still is to see why.

use std::collections::BTreeSet;
use std::time::Duration;

use millrace_contracts::run::NodeView;
use millrace_contracts::{BlobId, NodeId, NodeStatus, Pool};
use millrace_engine::pool_of;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::given::plan;
use crate::models::Fleet;
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

/// Longest a run's page waits for this.
const WAIT: Duration = Duration::from_millis(500);

/// Pools that queued jobs wait for, and that no worker serves.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Unserved {
    /// Those pools.
    pools: Vec<Pool>,
    /// The pools that workers serve at the moment.
    served: Vec<String>,
}

/// What the queued ones of `nodes` wait for in vain, in a run of this definition with the pool that was asked for, if any; none
/// where that cannot be looked up.
pub(super) async fn unserved(
    app: &App,
    (definition, chosen): (BlobId, Option<&Pool>),
    nodes: &[NodeView],
) -> Option<Unserved> {
    let queued = nodes.iter().filter(|node| node.status == NodeStatus::Queued);
    let queued: BTreeSet<&NodeId> = queued.map(|node| &node.node_id).collect();
    if queued.is_empty() {
        return None;
    }
    let look = async {
        let fleet = Fleet::of(&patiently(app.bus.workers()).await?);
        let plan = plan(app, definition).await?;
        let nodes = queued.into_iter().filter_map(|node| plan.find(node));
        let pools: BTreeSet<Pool> = nodes.map(|node| pool_of(plan.node(node), chosen)).collect();
        Ok::<_, Problem>(Unserved::of(pools, &fleet))
    };
    // A page without it is better than none.
    timeout(WAIT, look).await.ok()?.ok()?
}

impl Unserved {
    /// None where each of `pools` is served.
    fn of(pools: BTreeSet<Pool>, fleet: &Fleet) -> Option<Self> {
        let served = fleet.pools();
        let pools: Vec<Pool> = pools.into_iter().filter(|pool| !served.contains(pool.as_str())).collect();
        let served = served.into_iter().map(str::to_owned).collect();
        (!pools.is_empty()).then_some(Self { pools, served })
    }
}
