import { describe, expect, it } from 'vitest';
import type { NodeRun } from '~/api/types';
import { depthsOf } from '~/graph/layers';
import { emptyCounts, type NodeState } from '../live/state';
import { byPath } from '../panel/byPath';
import { LEGEND, phasesOf } from './phases';
import { around, rowsOf, ticksOf } from './rows';

const run = (node_id: string, from: number, to: number | undefined, path?: string): NodeRun => ({
  node_id,
  block: 'x@1',
  status: to === undefined ? 'running' : 'completed',
  attempt: 1,
  queued_at: from,
  completed_at: to,
  ...(path && { path }),
});

function state(...runs: NodeRun[]): NodeState {
  const [latest] = runs;
  if (!latest) throw new Error('a node has runs');
  return {
    id: latest.node_id,
    counts: emptyCounts(),
    total: runs.length,
    runs: new Map(runs.map(one => [one.path ?? '', one])),
    latest,
    fraction: null,
  };
}

describe('rowsOf', () => {
  const nodes = [
    state(run('b', 50, 80)),
    state(run('a', 10, 20)),
    state(run('l', 20, 30, '[10]'), run('l', 21, undefined, '[9]')),
  ];

  it('are in the order of their beginnings; loops are one row until they are opened', () => {
    const rows = rowsOf(nodes, new Set(), 100, new Map());
    expect(rows.map(row => `${row.key} ${row.from}-${row.to} ${row.items}`)).toEqual([
      'a 10-20 0',
      'l 20-100 2',
      'b 50-80 0',
    ]);
    expect(rowsOf(nodes, new Set(['l']), 100, new Map()).map(row => row.label)).toEqual([
      'a',
      'l',
      '[9]',
      '[10]',
      'b',
    ]);
  });

  it('that began at the same moment stand behind what they waited for', () => {
    const same = [state(run('each', 10, 12)), state(run('list', 10, 12)), state(run('after', 10, 11))];
    const edges = [
      { source: 'list', target: 'each' },
      { source: 'each', target: 'after' },
    ];
    const depths = depthsOf(same, edges);
    expect(rowsOf(same, new Set(), 100, depths).map(row => row.key)).toEqual(['list', 'each', 'after']);
  });

  it('take a loop of any length', () => {
    const items = Array.from({ length: 200_000 }, (_, at) => run('long', 1_000 + at, 1_001 + at, `[${at}]`));
    const runs = new Map(items.map(item => [item.path ?? '', item]));
    const long = { ...state(run('long', 0, 0)), total: runs.size, runs };
    expect(rowsOf([long], new Set(), 0, new Map())).toMatchObject([
      { from: 1_000, to: 201_000, items: 200_000 },
    ]);
    const opened = rowsOf([long], new Set(['long']), 0, new Map());
    expect(opened).toHaveLength(200_001);
    expect(around(opened)).toEqual({ from: 1_000, to: 201_000 });
  });

  it('leave out what has not begun', () => {
    expect(
      rowsOf([state({ node_id: 'c', block: '', status: 'skipped', attempt: 0 })], new Set(), 0, new Map()),
    ).toEqual([]);
  });
});

describe('small things', () => {
  it('paths are ordered by number', () => {
    expect(['[10]', '[2,1]', '[2]', '[0,5]'].sort(byPath)).toEqual(['[0,5]', '[2]', '[2,1]', '[10]']);
  });

  it('ticks are round and few', () => {
    expect(ticksOf(100)).toEqual([0, 20, 40, 60, 80, 100]);
    expect(ticksOf(1, 4).length).toBeLessThanOrEqual(5);
  });

  it('phases add up to the time from queue to end', () => {
    const metrics = {
      queue_wait_ms: 10,
      fetch_ms: 1,
      decode_ms: 2,
      preprocess_ms: 0,
      batch_wait_ms: 0,
      inference_time_ms: 5,
      postprocess_ms: 0,
      upload_ms: 0,
      model_load_time_ms: 0,
      total_time_ms: 12,
      cached: false,
      batch_size: 1,
    };
    const phases = phasesOf({ ...run('a', 0, 22), metrics });
    expect(phases.reduce((sum, phase) => sum + phase.ms, 0)).toBeCloseTo(22);
    expect(phases.map(phase => phase.name)).toEqual(['queue wait', 'fetch', 'decode', 'inference', 'other']);
    const told = LEGEND.map(phase => phase.name);
    expect(phases.filter(phase => !told.includes(phase.name))).toEqual([]);
  });
});
