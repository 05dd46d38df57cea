/**
 * The run being watched, as a store. Messages wait for the next frame and are applied together: a thousand events cost one
 * render, and none waits longer than a frame.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { nodeRunsPage, type Page } from '~/api/queries';
import { isMissing } from '~/api/request';
import type { EventEnvelope, NodeRun } from '~/api/types';
import { measureAfterPaint } from './latency';
import { applyAll } from './reducer';
import { emptyRun, isTerminal, type Message, type RunState } from './state';
import { FIRST_PAUSE_MS, followRun, LONGEST_PAUSE_MS, type Connection } from './stream';

/** Live events kept for the events tab while a run is watched; they are in no record. */
const KEPT_PASSING = 5_000;
/** A hidden page gets no frames. */
const HIDDEN_FLUSH_MS = 250;

export interface LiveRun {
  run: RunState;
  connection: Connection;
  /** Whether anything has come yet. */
  ready: boolean;
  /** Events of the log that came over the stream, oldest first. All of them: the nodes hold what is large in them anyway. */
  durable: readonly EventEnvelope[];
  /** Queued, started, progress: the newest of what came. They have a list of their own, so as not to crowd the others out. */
  passing: readonly EventEnvelope[];
}

export type LiveStore = StoreApi<LiveRun>;

export function createLiveStore(id: string): LiveStore {
  return createStore<LiveRun>(() => ({
    run: emptyRun(id),
    connection: 'connecting',
    ready: false,
    durable: [],
    passing: [],
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
    const [durable, passing] = [fresh.filter(isDurable), fresh.filter(event => !isDurable(event))];
    store.setState({
      run,
      durable: durable.length > 0 ? [...before.durable, ...durable] : before.durable,
      passing: passing.length > 0 ? [...before.passing, ...passing].slice(-KEPT_PASSING) : before.passing,
      ready: true,
    });
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
  /** The snapshot names a part of a large loop; the rest comes page by page, and one that does not come is asked for again. */
  const fill = async (): Promise<void> => {
    let after: string | null = null;
    let pause = FIRST_PAUSE_MS;
    for (;;) {
      let page: Page<NodeRun>;
      try {
        page = await nodeRunsPage(id, after, filling.signal);
      } catch (error) {
        if (filling.signal.aborted || isMissing(error)) return;
        await new Promise(resolve => setTimeout(resolve, pause));
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        continue;
      }
      pause = FIRST_PAUSE_MS;
      after = page.next;
      enqueue({ kind: 'runs', runs: page.rows, last: after === null });
      if (after === null) return;
    }
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

function isDurable(event: EventEnvelope): boolean {
  return event.seq != null;
}
