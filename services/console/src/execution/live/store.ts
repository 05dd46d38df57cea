/**
 * The run being watched, as a store. Messages wait for the next frame and are applied together: a thousand events cost one
 * render, and none waits longer than a frame.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { nodeRunsPage, type Page } from '~/api/queries';
import type { EventEnvelope, NodeRun } from '~/api/types';
import { measureAfterPaint } from './latency';
import { applyAll } from './reducer';
import { emptyRun, isTerminal, type Message, type RunState } from './state';
import { followRun, type Connection } from './stream';

/** Events kept for the events tab while a run is watched; older ones are read from the record. */
const KEPT_EVENTS = 5_000;
/** A hidden page gets no frames. */
const HIDDEN_FLUSH_MS = 250;

export interface LiveRun {
  run: RunState;
  connection: Connection;
  /** Whether anything has come yet. */
  ready: boolean;
  /** What came over the stream, oldest first. */
  events: readonly EventEnvelope[];
}

export type LiveStore = StoreApi<LiveRun>;

export function createLiveStore(id: string): LiveStore {
  return createStore<LiveRun>(() => ({
    run: emptyRun(id),
    connection: 'connecting',
    ready: false,
    events: [],
  }));
}

/** Watches the run into `store` until the function that is returned is called. */
export function watch(store: LiveStore): () => void {
  const id = store.getState().run.id;
  const filling = new AbortController();
  let waiting: Message[] = [];
  let scheduled = false;
  let arrived = 0;

  const flush = (): void => {
    scheduled = false;
    const batch = waiting;
    waiting = [];
    const before = store.getState();
    const run = applyAll(before.run, batch);
    const fresh = batch.flatMap(message => (message.kind === 'event' ? [message.event] : []));
    const events = fresh.length > 0 ? [...before.events, ...fresh].slice(-KEPT_EVENTS) : before.events;
    store.setState({ run, events, ready: true });
    measureAfterPaint(fresh, arrived);
    if (run.gap && !before.run.gap) following.restart();
    if (run.omitted > 0 && before.run.omitted === 0) void fill();
  };
  const enqueue = (message: Message): void => {
    waiting.push(message);
    if (scheduled) return;
    scheduled = true;
    arrived = performance.now();
    if (document.hidden) setTimeout(flush, HIDDEN_FLUSH_MS);
    else requestAnimationFrame(flush);
  };
  /** The snapshot names a part of a large loop; the rest comes page by page. */
  const fill = async (): Promise<void> => {
    let after: string | null = null;
    do {
      const page: Page<NodeRun> | null = await nodeRunsPage(id, after, filling.signal).catch(() => null);
      if (!page) return;
      after = page.next;
      enqueue({ kind: 'runs', runs: page.rows, last: after === null });
    } while (after !== null);
  };
  const following = followRun(id, {
    onMessage: enqueue,
    onConnection: connection => {
      store.setState({ connection });
    },
    position() {
      const { run } = store.getState();
      return run.epoch > 0 && !run.gap && !isTerminal(run.status) ? `${run.epoch}-${run.seq}` : null;
    },
  });
  return () => {
    filling.abort();
    following.stop();
  };
}
