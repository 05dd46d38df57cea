import { afterEach, describe, expect, it, vi } from 'vitest';
import type { NodeRun, NodeStatus } from '~/api/types';
import { compareNodes } from './compareNodes';
import { readNodeRuns } from './readNodeRuns';

const run = (node_id: string, status: NodeStatus, ms: number): NodeRun => ({
  node_id,
  block: 'x@1',
  status,
  attempt: 1,
  started_at: 1_000,
  completed_at: 1_000 + ms,
});

describe('compareNodes', () => {
  it('sums the items, and one that failed is not hidden by those after it', () => {
    const items = [run('each', 'failed', 10), run('each', 'completed', 20), run('each', 'skipped', 0)];
    const [pair] = compareNodes(items, [run('each', 'completed', 60)]);
    expect(pair).toMatchObject({
      a: { status: 'failed', ms: 30, runs: 3 },
      b: { status: 'completed' },
      ratio: 2,
    });
  });

  it('has nodes that only one of the runs has', () => {
    expect(compareNodes([run('a', 'completed', 1)], [run('b', 'skipped', 0)])).toMatchObject([
      { node: 'a', b: null, ratio: null },
      { node: 'b', a: null, ratio: null },
    ]);
  });
});

describe('readNodeRuns', () => {
  afterEach(() => vi.unstubAllGlobals());

  /** A record of so many pages of one node run each. */
  function serve(pages: number): void {
    vi.stubGlobal('fetch', async (address: string) => {
      const at = Number(new URL(address, 'http://localhost').searchParams.get('after') ?? 0) + 1;
      const body = { nodes: [run(`n${at}`, 'completed', 1)], next_after: at < pages ? String(at) : null };
      return new Response(JSON.stringify(body));
    });
  }

  it('reads every page, and says where it stopped', async () => {
    serve(3);
    const all = await readNodeRuns('run-1');
    expect(all.runs.map(({ node_id }) => node_id)).toEqual(['n1', 'n2', 'n3']);
    expect(all.cut).toBe(false);
    serve(100);
    const some = await readNodeRuns('run-2');
    expect([some.runs.length, some.cut]).toEqual([20, true]);
  });
});
