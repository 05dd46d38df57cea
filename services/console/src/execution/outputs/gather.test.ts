import { describe, expect, it } from 'vitest';
import type { JsonObject, NodeRun } from '~/api/types';
import { emptyCounts, type NodeState } from '../live/state';
import { gather } from './gather';

const boxes = { width: 10, height: 10, items: [] };

function node(id: string, paths: string[], outputs: JsonObject): [string, NodeState] {
  const runs = paths.map((path): NodeRun => ({
    node_id: id,
    block: 'x@1',
    status: 'completed',
    attempt: 1,
    path,
    outputs,
  }));
  const [latest] = runs;
  if (!latest) throw new Error('a node has runs');
  const byPath = new Map(runs.map(run => [run.path ?? '', run]));
  return [id, { id, counts: emptyCounts(), total: runs.length, runs: byPath, latest, fraction: null }];
}

const items = (count: number) => Array.from({ length: count }, (_, at) => `[${at}]`);

describe('gather', () => {
  it('finds what lies behind any number of runs that have nothing to show', () => {
    const nodes = new Map([
      node('count', items(1_000), { count: 3 }),
      node('find', [''], { detections: boxes }),
    ]);
    expect(gather(nodes, '').map(({ label }) => label)).toEqual(['find.detections']);
  });

  it('goes from the item to the loops around it, and then elsewhere', () => {
    const nodes = new Map([
      node('find', items(1_000), { detections: boxes }),
      node('inner', ['[998,1]', '[998,2]'], { masks: boxes }),
      node('whole', [''], { detections: boxes }),
    ]);
    const found = gather(nodes, '[998,2]').map(({ label }) => label);
    expect(found.slice(0, 3)).toEqual(['inner[998,2].masks', 'find[998].detections', 'whole.detections']);
    expect(found).toHaveLength(400);
  });

  it('fetches few values for it, those that are near first', () => {
    const nodes = new Map([node('find', items(100), { detections: { $value: 'a' } })]);
    const found = gather(nodes, '[70]').map(({ label }) => label);
    expect(found[0]).toBe('find[70].detections');
    expect(found).toHaveLength(24);
  });
});
