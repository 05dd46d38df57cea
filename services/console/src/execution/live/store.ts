/**
 * The run being watched, as a store. Messages wait for the next frame and are applied together: a thousand events cost one
 * render, and none waits longer than a frame.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { nodeRunsPage } from '~/api/queries';
import type { EventEnvelope, Execution, NodeRun } from '~/api/types';
import { fill } from './fill';
import { measureAfterPaint } from './latency';
import { applyAll } from './reducer';
import { readWhileSilent } from './silent';
import { emptyRun, isTerminal, missingOf, type Message, type RunState } from './state';
import { followRun, type Connection } from './stream';

/** Live events kept for the events tab while a run is watched; they are in no record. */
const KEPT_PASSING = 5_000;
/** A hidden page gets no frames, also where it was hidden when one was asked for already. */
const LONGEST_WAIT_MS = 250;
/** Of a run with more than one page of node runs, what is under way changes faster than it is read. */
const ONE_PAGE = 1_000;

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
  let filling: AbortController | null = null;
  let waiting: Message[] = [];
  let scheduled: { frame: number; timer: ReturnType<typeof setTimeout> } | null = null;
  let arrived = 0;

  const unschedule = (): void => {
    if (!scheduled) return;
    cancelAnimationFrame(scheduled.frame);
    clearTimeout(scheduled.timer);
    scheduled = null;
  };
  const flush = (): void => {
    if (!scheduled) return;
    unschedule();
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
    if (lacks(before.run, run, batch)) fillAnew();
  };
  const enqueue = (message: Message): void => {
    waiting.push(message);
    if (scheduled) return;
    arrived = performance.now();
    scheduled = { frame: requestAnimationFrame(flush), timer: setTimeout(flush, LONGEST_WAIT_MS) };
  };
  const onRuns = (runs: NodeRun[]): void => enqueue({ kind: 'runs', runs });
  const fillAnew = (): void => {
    filling?.abort();
    filling = new AbortController();
    const missing = (): number => {
      flush();
      return missingOf(store.getState().run);
    };
    void fill(id, { onRuns, missing }, filling.signal);
  };
  const ending = new AbortController();
  /** What was queued or begun while nobody looked: the log tells of it only when it is over. */
  const lookAgain = async (): Promise<void> => {
    const { run } = store.getState();
    if (isTerminal(run.status) || run.total > ONE_PAGE) return;
    try {
      const { rows } = await nodeRunsPage(id, null, ending.signal);
      if (!ending.signal.aborted) onRuns(rows);
    } catch {
      // The stream tells of it as it goes on.
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
    onReturn: () => void lookAgain(),
  });
  const isSilent = (): boolean => store.getState().run.epoch === 0;
  const onRecord = (execution: Execution): void => enqueue({ kind: 'record', execution });
  void readWhileSilent(id, { isSilent, onRecord, onRuns }, ending.signal);
  return () => {
    unschedule();
    ending.abort();
    filling?.abort();
    following.stop();
  };
}

/**
 * Whether the record has to be asked for what is not there: a snapshot that names a part of a large loop takes with it what had been
 * read, and at the end of the run everything is to be there.
 */
function lacks(before: RunState, run: RunState, batch: readonly Message[]): boolean {
  if (run.omitted > 0 && batch.some(message => message.kind === 'snapshot')) return true;
  return isTerminal(run.status) && !isTerminal(before.status) && missingOf(run) > 0;
}

function isDurable(event: EventEnvelope): boolean {
  return event.seq != null;
}
