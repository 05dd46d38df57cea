/** What in a run may be drawn over one of its pictures: boxes and masks, and large values that may hold some. */
import type { Json, NodeRun } from '~/api/types';
import { asOverlay, asReference } from '~/lib/values';
import type { NodeState } from '../live/state';

/** Overlays that are gathered, and values that are fetched to look for some. */
const MOST_FOUND = 400;
const MOST_FETCHED = 24;

export interface Gathered {
  label: string;
  value: Json;
}

/** From the runs of the item at `path` and of the loops around it first: a picture's boxes are made near it. */
export function gather(nodes: ReadonlyMap<string, NodeState>, path: string): Gathered[] {
  const found: Gathered[] = [];
  let references = 0;
  for (const [node, run] of nearest(nodes, around(path))) {
    for (const [port, value] of Object.entries(run.outputs ?? {})) {
      const isReference = asReference(value) !== null && /detections|masks|kept|items/.test(port);
      if (isReference) references += 1;
      if ((isReference && references <= MOST_FETCHED) || asOverlay(value)) {
        found.push({ label: `${node}${run.path ?? ''}.${port}`, value });
      }
      if (found.length >= MOST_FOUND) return found;
    }
  }
  return found;
}

function* nearest(
  nodes: ReadonlyMap<string, NodeState>,
  near: readonly string[],
): Generator<[string, NodeRun]> {
  for (const path of near) {
    for (const node of nodes.values()) {
      const run = node.runs.get(path);
      if (run) yield [node.id, run];
    }
  }
  for (const node of nodes.values()) {
    for (const [path, run] of node.runs) if (!near.includes(path)) yield [node.id, run];
  }
}

/** `[3,0]` lies in `[3]`, which lies in the run itself. */
function around(path: string): string[] {
  const numbers = path.match(/\d+/g) ?? [];
  const outer = numbers.map((_, at) => `[${numbers.slice(0, numbers.length - at).join(',')}]`);
  return [...outer, ''];
}
