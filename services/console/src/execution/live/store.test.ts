import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NodeRun } from '~/api/types';
import { createLiveStore, watch, type LiveStore } from './store';

/** The browser's event source, with the server's part played by hand. */
class Source extends EventTarget {
  static readonly CLOSED = 2;
  static opened: Source[] = [];
  readyState = 1;

  constructor(readonly url: string) {
    super();
    Source.opened.push(this);
  }

  close(): void {
    this.readyState = Source.CLOSED;
  }

  say(type: string, data: object): void {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }));
  }
}

const event = (seq: number | null, type: string, nodeid: string) => ({
  specversion: '1.0',
  id: `${seq ?? 'live'}-${nodeid}-${type}`,
  type: `millrace.workflow.${type}`,
  time: '2026-01-01T00:00:01.000Z',
  source: '/millrace/orchestrator',
  nodeid,
  data: { node_id: nodeid, block: 'delay@1', status: 'completed', attempt: 1 },
  ...(seq !== null && { seq, epoch: 1 }),
});
const snapshot = (extra: object = {}) => ({
  execution_id: 'run-1',
  status: 'running',
  epoch: 1,
  seq: 0,
  progress: { total: 3, completed: 0, failed: 0, skipped: 0, running: 0 },
  created_at: 0,
  nodes: [],
  ...extra,
});

let store: LiveStore;
let stop: () => void;
const source = () => Source.opened.at(-1) as Source;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', Source);
  Source.opened = [];
  store = createLiveStore('run-1');
  stop = watch(store);
});
afterEach(() => {
  stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('watching a run', () => {
  it('keeps every event of the log, however many pass by', async () => {
    source().say('snapshot', snapshot());
    source().say('node.completed', event(1, 'node.completed', 'first'));
    for (let item = 0; item < 6_000; item += 1)
      source().say('node.queued', event(null, 'node.queued', 'loop'));
    source().say('node.completed', event(2, 'node.completed', 'last'));
    await vi.advanceTimersByTimeAsync(300);
    const { durable, passing } = store.getState();
    expect(durable.map(({ nodeid }) => nodeid)).toEqual(['first', 'last']);
    expect(passing).toHaveLength(5_000);
  });

  it('asks again for a page of node runs that did not come', async () => {
    const run = (path: string): NodeRun => ({
      node_id: 'a',
      block: 'b',
      status: 'completed',
      attempt: 1,
      path,
    });
    const answers = [
      new Response(JSON.stringify({ nodes: [run('[0]')], next_after: 'x' })),
      new Response('', { status: 503 }),
      new Response(JSON.stringify({ nodes: [run('[1]')] })),
    ];
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (address: string) => {
      asked.push(address.replace(/.*\?/, ''));
      return answers.shift();
    });
    source().say('snapshot', snapshot({ nodes_omitted: 2 }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked).toEqual(['limit=1000', 'limit=1000&after=x', 'limit=1000&after=x']);
    expect(store.getState().run.counts.completed).toBe(2);
    expect(store.getState().run.omitted).toBe(0);
  });

  it('stops when the run was deleted', async () => {
    source().say('snapshot', snapshot());
    source().say('gone', { reason: 'the execution was deleted' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.getState().connection).toBe('gone');
    expect(Source.opened).toHaveLength(1);
  });
});
