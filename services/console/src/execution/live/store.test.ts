import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NodeRun } from '~/api/types';
import { HIDDEN_MS } from '~/lib/whileSeen';
import { MOST_TRIES } from './fill';
import { SILENT_MS } from './silent';
import { missingOf } from './state';
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
const progress = (completed: number) => ({ total: 3, completed, failed: 0, skipped: 0, running: 0 });
const run = (path: string): NodeRun => ({ node_id: 'a', block: 'b', status: 'completed', attempt: 1, path });

/** Answers each page of node runs that is asked for with `answer`, given how many were asked for before. */
function pages(answer: (at: number) => Promise<object> | object): { asked: string[] } {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (address: string, { signal }: RequestInit) => {
    asked.push(address.replace(/.*\?/, ''));
    const page = await answer(asked.length - 1);
    signal?.throwIfAborted();
    return new Response(JSON.stringify(page));
  });
  return { asked };
}

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
  vi.restoreAllMocks();
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
  });

  it('reads a record that is behind again until nothing is missing, and then no more', async () => {
    const { asked } = pages(at => ({
      nodes: ['[0]', '[1]', '[2]'].slice(0, Math.ceil((at + 1) / 2)).map(run),
    }));
    source().say('snapshot', snapshot({ status: 'completed', nodes_omitted: 3, progress: progress(3) }));
    source().say('end', {});
    await vi.advanceTimersByTimeAsync(600_000);
    expect(store.getState().run.counts.completed).toBe(3);
    expect(missingOf(store.getState().run)).toBe(0);
    expect(asked).toHaveLength(5);
  });

  it('rests as long as a reading took, however much each of them brings', async () => {
    const [runs, pageCount] = [1_000, 50];
    let readings = 0;
    pages(async () => {
      const at = asked++ % pageCount;
      if (at === 0) readings += 1;
      await new Promise(resolve => setTimeout(resolve, 100));
      return { nodes: [run(`[${readings}]`)], ...(at < pageCount - 1 && { next_after: `a[${at}]` }) };
    });
    let asked = 0;
    source().say('snapshot', snapshot({ nodes_omitted: runs, progress: { ...progress(runs), total: runs } }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(readings).toBe(6);
  });

  it('gives up on what never comes, and at once when nobody watches any more', async () => {
    const { asked } = pages(() => ({ nodes: [run('[0]')] }));
    const held = snapshot({ status: 'completed', nodes_omitted: 3, progress: progress(3) });
    source().say('snapshot', held);
    source().say('end', {});
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    expect(asked).toHaveLength(MOST_TRIES);
    expect(vi.getTimerCount()).toBe(0);

    source().say('snapshot', held);
    await vi.advanceTimersByTimeAsync(3_000);
    const before = asked.length;
    expect(before).toBeGreaterThan(MOST_TRIES);
    stop();
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    expect(asked).toHaveLength(before);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('asks no more for pages that fail and fail', async () => {
    let asked = 0;
    vi.stubGlobal('fetch', async () => {
      asked += 1;
      return new Response('', { status: 503 });
    });
    source().say('snapshot', snapshot({ nodes_omitted: 3, progress: progress(3) }));
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    expect(asked).toBe(MOST_TRIES);
  });

  it('begins anew with the pages when another snapshot comes between them', async () => {
    const wait = () => new Promise(resolve => setTimeout(resolve, 1_000));
    const { asked } = pages(async () => {
      const at = Number(/\d(?=%5D)/.exec(asked.at(-1) ?? '')?.[0] ?? -1) + 1;
      await wait();
      return { nodes: [run(`[${at}]`)], ...(at < 3 && { next_after: `a[${at}]` }) };
    });
    source().say('snapshot', snapshot({ seq: 5, nodes_omitted: 4, progress: progress(4) }));
    await vi.advanceTimersByTimeAsync(2_500);
    expect(store.getState().run.counts.completed).toBe(2);
    source().say('snapshot', snapshot({ seq: 6, nodes_omitted: 4, progress: progress(4) }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.getState().run.counts.completed).toBe(4);
    expect(asked.filter(query => query === 'limit=1000')).toHaveLength(2);
  });

  it('looks once more at the end for what came ahead of its event', async () => {
    // The first reading misses `[0]` and has `[1]`, which the events tell of only afterwards.
    const { asked } = pages(at => ({ nodes: (at === 0 ? ['[1]'] : ['[0]', '[1]']).map(run) }));
    source().say('snapshot', snapshot({ seq: 1, nodes_omitted: 1, progress: progress(1) }));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toHaveLength(1);
    const ended = event(2, 'node.completed', 'a');
    source().say('node.completed', { ...ended, data: { ...ended.data, path: '[1]' } });
    source().say('completed', { ...event(3, 'completed', ''), data: { status: 'completed' } });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(store.getState().run.counts.completed).toBe(2);
    expect(asked).toHaveLength(2);
  });

  it('goes on where the page is hidden with a frame asked for that never comes', async () => {
    const frames: FrameRequestCallback[] = [];
    vi.stubGlobal('requestAnimationFrame', (frame: FrameRequestCallback) => frames.push(frame));
    source().say('snapshot', snapshot());
    source().say('node.completed', event(1, 'node.completed', 'a'));
    await vi.advanceTimersByTimeAsync(60_000);
    source().say('node.completed', event(2, 'node.completed', 'b'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect([store.getState().ready, store.getState().run.seq]).toEqual([true, 2]);
    // Shown again: the frames come after all, and have nothing left to do.
    const { run: shown } = store.getState();
    frames.forEach(frame => frame(0));
    expect(store.getState().run).toBe(shown);
  });

  it('stops when the run was deleted', async () => {
    source().say('snapshot', snapshot());
    source().say('gone', { reason: 'the execution was deleted' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.getState().connection).toBe('gone');
    expect(Source.opened).toHaveLength(1);
  });
});

describe('a stream that says nothing', () => {
  const error = { kind: 'INTERNAL', message: 'it broke', retryable: false };
  const failed = { ...run('[0]'), status: 'failed' as const };

  /** The record of a run that has failed, with `nodes`. */
  function record(nodes: () => NodeRun[]): { asked: string[] } {
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (address: string) => {
      asked.push(address.replace('/api/v1/executions/run-1', '') || '/');
      const execution = { ...snapshot({ status: 'failed', error, seq: null }), execution_id: 'run-1' };
      const body = address.includes('/nodes')
        ? { nodes: nodes() }
        : { ...execution, progress: { ...progress(0), failed: 1 } };
      return new Response(JSON.stringify(body));
    });
    return { asked };
  }

  it('leaves the run as the record has it, which is read until all of it is there', async () => {
    let written: NodeRun[] = [];
    const { asked } = record(() => written);
    await vi.advanceTimersByTimeAsync(SILENT_MS - 1);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    const { ready, run: shown } = store.getState();
    expect([ready, shown.status, shown.error?.message, shown.nodes.size]).toEqual([
      true,
      'failed',
      'it broke',
      0,
    ]);
    written = [failed];
    await vi.advanceTimersByTimeAsync(600_000);
    expect(store.getState().run.counts.failed).toBe(1);
    expect(asked).toEqual(['/', '/nodes?limit=1000', '/', '/nodes?limit=1000']);
  });

  it('has the last word when it speaks after all', async () => {
    record(() => [failed]);
    await vi.advanceTimersByTimeAsync(SILENT_MS + 500);
    expect(store.getState().run.counts.failed).toBe(1);
    source().say('snapshot', snapshot({ seq: 4, nodes: [run('[1]')] }));
    await vi.advanceTimersByTimeAsync(500);
    const { run: shown } = store.getState();
    expect([shown.status, shown.seq, shown.counts.failed, shown.counts.completed]).toEqual([
      'running',
      4,
      0,
      1,
    ]);
  });

  it('is left alone where it speaks in time', async () => {
    const { asked } = record(() => []);
    source().say('snapshot', snapshot());
    await vi.advanceTimersByTimeAsync(600_000);
    expect([asked, vi.getTimerCount()]).toEqual([[], 0]);
  });
});

describe('a page that is hidden', () => {
  function hide(hidden: boolean): void {
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
    document.dispatchEvent(new Event('visibilitychange'));
  }
  const open = () => Source.opened.filter(({ readyState }) => readyState !== Source.CLOSED);

  it('holds no stream, and goes on where it was', async () => {
    const { asked } = pages(() => ({
      nodes: [{ node_id: 'slow', block: 'b', status: 'running', attempt: 1 }],
    }));
    source().say('snapshot', snapshot());
    source().say('node.completed', event(1, 'node.completed', 'a'));
    await vi.advanceTimersByTimeAsync(500);
    hide(true);
    await vi.advanceTimersByTimeAsync(HIDDEN_MS - 1_000);
    source().say('node.completed', event(2, 'node.completed', 'b'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(open()).toHaveLength(0);
    expect(Source.opened).toHaveLength(1);
    hide(false);
    expect(open().map(({ url }) => new URL(url, 'http://x').searchParams.get('from'))).toEqual(['1-2']);
    source().say('node.completed', event(3, 'node.completed', 'c'));
    await vi.advanceTimersByTimeAsync(500);
    const { run: shown, durable } = store.getState();
    expect(durable.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    // What was begun meanwhile is in no log: it is read.
    expect([shown.counts.completed, shown.counts.running, asked]).toEqual([3, 1, ['limit=1000']]);
  });

  it('opens nothing anew once the run is over, or nobody watches', async () => {
    source().say('snapshot', snapshot({ status: 'completed' }));
    source().say('end', {});
    await vi.advanceTimersByTimeAsync(500);
    hide(true);
    await vi.advanceTimersByTimeAsync(60_000);
    hide(false);
    expect(Source.opened).toHaveLength(1);
    stop();
    hide(true);
    hide(false);
    expect([Source.opened.length, vi.getTimerCount()]).toEqual([1, 0]);
  });
});
