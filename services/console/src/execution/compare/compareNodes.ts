import type { NodeRun, NodeStatus } from '~/api/types';
import { emptyCounts, statusOf, type NodeCounts } from '../live/state';

export interface NodeSide {
  status: NodeStatus;
  /** Time at work, summed over items. */
  ms: number;
  runs: number;
  /** Whether all of it was reused. */
  cached: boolean;
}

export interface NodePair {
  node: string;
  a: NodeSide | null;
  b: NodeSide | null;
  /** B's time over A's; null where that says nothing. */
  ratio: number | null;
}

export function compareNodes(a: readonly NodeRun[], b: readonly NodeRun[]): NodePair[] {
  const [left, right] = [sides(a), sides(b)];
  return [...new Set([...left.keys(), ...right.keys()])].map(node => {
    const [one, other] = [left.get(node) ?? null, right.get(node) ?? null];
    const comparable = one && other && one.ms >= 1 && !one.cached && !other.cached;
    return { node, a: one, b: other, ratio: comparable ? other.ms / one.ms : null };
  });
}

function sides(runs: readonly NodeRun[]): Map<string, NodeSide> {
  const found = new Map<string, NodeSide>();
  const counts = new Map<string, NodeCounts>();
  for (const run of runs) {
    const ms =
      run.metrics?.total_time_ms || (run.completed_at ?? 0) - (run.started_at ?? run.completed_at ?? 0);
    const cached = run.metrics?.cached ?? false;
    const side = found.get(run.node_id);
    const counted = counts.get(run.node_id) ?? emptyCounts();
    counted[run.status] += 1;
    counts.set(run.node_id, counted);
    found.set(run.node_id, {
      status: statusOf({ counts: counted }),
      ms: (side?.ms ?? 0) + ms,
      runs: (side?.runs ?? 0) + 1,
      cached: cached && (side?.cached ?? true),
    });
  }
  return found;
}
