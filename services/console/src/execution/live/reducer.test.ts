import { describe, expect, it } from 'vitest';
import type { EventEnvelope, NodeRun, NodeStatus, Snapshot } from '~/api/types';
import { applyAll } from './reducer';
import { emptyRun, missingOf, progressOf, statusOf, type Message } from './state';

const RUN = 'run-1';

function durable(seq: number, type: string, data: object, epoch = 1): Message {
  const event: EventEnvelope = {
    specversion: '1.0',
    id: `${epoch}-${seq}`,
    type: `millrace.workflow.${type}`,
    time: '2026-01-01T00:00:01.000Z',
    source: '/millrace/orchestrator',
    executionid: RUN,
    epoch,
    seq,
    data: data as EventEnvelope['data'],
  };
  return { kind: 'event', event };
}

function live(type: string, nodeid: string, extra: Partial<EventEnvelope> = {}): Message {
  const event: EventEnvelope = {
    specversion: '1.0',
    id: `${nodeid}:${type}`,
    type: `millrace.workflow.${type}`,
    time: '2026-01-01T00:00:00.500Z',
    source: '/millrace/orchestrator',
    nodeid,
    attempt: 1,
    data: {},
    ...extra,
  };
  return { kind: 'event', event };
}

function node(id: string, status: NodeStatus, extra: Partial<NodeRun> = {}): NodeRun {
  return { node_id: id, block: 'delay@1', status, attempt: 1, ...extra };
}

function snapshot(seq: number, nodes: NodeRun[], extra: Partial<Snapshot> = {}): Message {
  const whole: Snapshot = {
    execution_id: RUN,
    workflow_id: null,
    status: 'running',
    epoch: 1,
    seq,
    progress: { total: 3, completed: 0, failed: 0, skipped: 0, running: 0 },
    created_at: 0,
    started_at: 1,
    completed_at: null,
    outputs: null,
    error: null,
    nodes,
    ...extra,
  };
  return { kind: 'snapshot', snapshot: whole };
}

describe('applyAll', () => {
  it('walks a run from its snapshot to its end', () => {
    const run = applyAll(emptyRun(RUN), [
      snapshot(2, [node('a', 'completed')]),
      live('node.queued', 'b'),
      live('node.started', 'b', { data: { worker_id: 'w1' } }),
      durable(3, 'node.completed', node('b', 'completed', { outputs: { n: 1 } })),
      durable(4, 'node.skipped', node('c', 'skipped')),
      durable(5, 'completed', { status: 'completed', started_at: 1, completed_at: 9, outputs: { x: 1 } }),
    ]);
    expect(run.status).toBe('completed');
    expect(run.outputs).toEqual({ x: 1 });
    expect(run.completedAt).toBe(9);
    expect(progressOf(run)).toEqual({
      total: 3,
      completed: 2,
      failed: 0,
      skipped: 1,
      cancelled: 0,
      running: 0,
    });
    expect(run.gap).toBe(false);
  });

  it('counts each durable event once, whatever comes again', () => {
    const events = [durable(1, 'started', {}), durable(2, 'node.completed', node('a', 'completed'))];
    const once = applyAll(emptyRun(RUN), events);
    const twice = applyAll(once, [...events, ...events]);
    expect(twice.counts).toEqual(once.counts);
    expect(twice.seq).toBe(2);
  });

  it('notices a gap and does not go past it', () => {
    const run = applyAll(emptyRun(RUN), [
      durable(1, 'started', {}),
      durable(3, 'node.completed', node('b', 'completed')),
    ]);
    expect(run.gap).toBe(true);
    expect(run.seq).toBe(1);
    expect(run.nodes.has('b')).toBe(false);
    const mended = applyAll(run, [snapshot(3, [node('b', 'completed')])]);
    expect(mended.gap).toBe(false);
    expect(mended.seq).toBe(3);
  });

  it('lets no late live event undo an end', () => {
    const run = applyAll(emptyRun(RUN), [
      snapshot(1, []),
      durable(2, 'node.completed', node('a', 'completed')),
      live('node.started', 'a'),
      live('node.queued', 'a'),
    ]);
    expect(run.nodes.get('a')?.latest.status).toBe('completed');
  });

  it('takes a second attempt for what it is', () => {
    const run = applyAll(emptyRun(RUN), [
      snapshot(1, []),
      live('node.started', 'a'),
      durable(2, 'node.retrying', node('a', 'pending', { attempt: 1 })),
      live('node.started', 'a', { attempt: 2 }),
      live('node.queued', 'a', { attempt: 1 }),
    ]);
    expect(run.nodes.get('a')?.latest).toMatchObject({ status: 'running', attempt: 2 });
    expect(run.counts.running).toBe(1);
  });

  it('counts the items of a loop and keeps them apart', () => {
    const items = Array.from({ length: 1000 }, (_, index) =>
      live('node.queued', 'a', { path: `[${index}]` }),
    );
    let run = applyAll(emptyRun(RUN), [snapshot(1, []), ...items]);
    const a = run.nodes.get('a');
    expect(a?.total).toBe(1000);
    expect(a && statusOf(a)).toBe('queued');
    run = applyAll(run, [durable(2, 'node.completed', node('a', 'completed', { path: '[7]' }))]);
    expect(run.nodes.get('a')?.counts).toMatchObject({ queued: 999, completed: 1 });
    expect(run.nodes.get('a')).not.toBe(a);
  });

  it('leaves untouched nodes as they are, so that they are not drawn again', () => {
    const before = applyAll(emptyRun(RUN), [snapshot(1, [node('a', 'completed'), node('b', 'pending')])]);
    const after = applyAll(before, [live('node.started', 'b')]);
    expect(after.nodes.get('a')).toBe(before.nodes.get('a'));
    expect(after.nodes.get('b')).not.toBe(before.nodes.get('b'));
  });

  it('starts over with the snapshot of a higher epoch, and not with an older one', () => {
    const run = applyAll(emptyRun(RUN), [snapshot(9, [node('a', 'completed')])]);
    expect(applyAll(run, [snapshot(3, [])]).seq).toBe(9);
    const rebuilt = applyAll(run, [snapshot(2, [], { epoch: 2 })]);
    expect([rebuilt.epoch, rebuilt.seq, rebuilt.nodes.size]).toEqual([2, 2, 0]);
    expect(applyAll(run, [durable(1, 'started', {}, 2)]).gap).toBe(true);
  });

  it('fills in from the record what the snapshot left out, and nothing that is known better', () => {
    const run = applyAll(emptyRun(RUN), [
      snapshot(5, [node('a', 'completed', { path: '[0]' })], { nodes_omitted: 2 }),
      { kind: 'runs', runs: [node('a', 'running', { path: '[0]' }), node('a', 'failed', { path: '[1]' })] },
    ]);
    expect(run.nodes.get('a')?.counts).toMatchObject({ completed: 1, failed: 1, running: 0 });
  });

  it('knows how many are missing that no event tells of again', () => {
    const item = (at: number) => node('a', 'completed', { path: `[${at}]` });
    const progress = { total: 5, completed: 2, failed: 0, skipped: 1, running: 1 };
    const given = applyAll(emptyRun(RUN), [snapshot(5, [item(0)], { nodes_omitted: 3, progress })]);
    expect(missingOf(given)).toBe(2);
    // What ends from now on takes nobody's place, whether its event or its row comes first.
    const ahead = applyAll(given, [{ kind: 'runs', runs: [item(4)] }]);
    const later = applyAll(ahead, [
      durable(6, 'node.completed', item(3)),
      durable(7, 'node.completed', item(4)),
    ]);
    expect(missingOf(later)).toBe(2);
    const filled = applyAll(later, [
      { kind: 'runs', runs: [item(1), node('a', 'cancelled', { path: '[2]' })] },
    ]);
    expect(missingOf(filled)).toBe(0);
  });

  it('counts what was cancelled apart from what was skipped', () => {
    const run = applyAll(emptyRun(RUN), [
      snapshot(3, [node('a', 'completed'), node('b', 'cancelled'), node('c', 'cancelled')]),
    ]);
    expect(progressOf(run)).toMatchObject({ completed: 1, skipped: 0, cancelled: 2 });
  });

  it('reads progress in any of its forms', () => {
    const start = applyAll(emptyRun(RUN), [snapshot(1, [])]);
    for (const [data, fraction] of [
      [{ percent: 50 }, 0.5],
      [{ step: 3, steps: 4 }, 0.75],
      [{ fraction: 7 }, 1],
      [{}, null],
    ] as const) {
      expect(applyAll(start, [live('node.progress', 'a', { data })]).nodes.get('a')?.fraction).toBe(fraction);
    }
  });
});
