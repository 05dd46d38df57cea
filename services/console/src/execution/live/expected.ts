/** How many node runs there will be, as far as the loops that have opened tell. */
import type { Definition, NodeStatus } from '~/api/types';
import { loopsOf } from '~/graph/loops';
import { isObject } from '~/lib/json';
import { statusOf, type NodeState, type RunState } from './state';

/** The items of a loop, over all the times it opened. */
export function itemsOf(loop: NodeState | undefined): number {
  let items = 0;
  for (const run of loop?.runs.values() ?? []) {
    const { outputs } = run;
    if (typeof outputs?.count === 'number') items += outputs.count;
    else if (Array.isArray(outputs?.items)) items += outputs.items.length;
    else if (isObject(outputs?.items) && typeof outputs.items.count === 'number')
      items += outputs.items.count;
  }
  return items;
}

export function expectedRuns(definition: Definition, run: RunState): number {
  const loops = loopsOf(definition);
  return definition.nodes.reduce((sum, { id }) => {
    const loop = loops.get(id);
    const known = run.nodes.get(id)?.total ?? 0;
    return sum + (loop ? Math.max(known, itemsOf(run.nodes.get(loop))) : Math.max(1, known));
  }, 0);
}

/** Between two items of a loop nothing may be under way, and still it goes on; not when the run is `over`. */
export function shownStatus(
  node: Pick<NodeState, 'counts' | 'total'>,
  expected: number,
  over: boolean,
): NodeStatus {
  const status = statusOf(node);
  return status === 'completed' && expected > node.total && !over ? 'running' : status;
}
