/** Everything that happens, counted by the second: what the overview shows as live. */
import { API } from '~/api/request';
import type { EventEnvelope } from '~/api/types';
import { shortType } from '~/execution/live/reducer';
import { whileSeen } from '~/lib/whileSeen';

/** Seconds that are kept. */
export const KEPT_SECONDS = 60;

export interface Pulse {
  /** Counts per second, oldest first, of runs that ended and of node runs that did. */
  runs: number[];
  nodes: number[];
  failures: number[];
  /** Whether the stream broke off and is tried again. */
  lost: boolean;
}

const TYPES = ['completed', 'failed', 'cancelled', 'node.completed', 'node.failed'];
const PAUSE_MS = 2_000;

export function quiet(): Pulse {
  const zeros = () => Array.from({ length: KEPT_SECONDS }, () => 0);
  return { runs: zeros(), nodes: zeros(), failures: zeros(), lost: false };
}

/**
 * Follows the firehose while the page is seen, and begins anew when it is seen again: what was not watched is not counted. `tell` is
 * called once a second. The function that is returned stops it.
 */
export function follow(tell: (pulse: Pulse) => void): () => void {
  let stop = (): void => {};
  const unwatch = whileSeen({
    open() {
      stop = followSeen(tell);
    },
    close: () => stop(),
  });
  return () => {
    unwatch();
    stop();
  };
}

function followSeen(tell: (pulse: Pulse) => void): () => void {
  let pulse = quiet();
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const count = (type: string): void => {
    const add = (list: number[]) => {
      list[list.length - 1] = (list.at(-1) ?? 0) + 1;
    };
    if (type.startsWith('node.')) add(pulse.nodes);
    else add(pulse.runs);
    if (type === 'failed' || type === 'node.failed') add(pulse.failures);
  };
  const open = (): void => {
    source = new EventSource(`${API}/events?types=${TYPES.join(',')}`);
    source.onopen = () => {
      pulse.lost = false;
    };
    source.onerror = () => {
      pulse.lost = true;
      if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, PAUSE_MS);
    };
    for (const type of TYPES) {
      source.addEventListener(type, event =>
        count(shortType((JSON.parse(event.data) as EventEnvelope).type)),
      );
    }
  };
  open();
  const ticker = setInterval(() => {
    tell({ ...pulse, runs: [...pulse.runs], nodes: [...pulse.nodes], failures: [...pulse.failures] });
    const step = (list: number[]) => [...list.slice(1), 0];
    pulse = { ...pulse, runs: step(pulse.runs), nodes: step(pulse.nodes), failures: step(pulse.failures) };
  }, 1_000);
  return () => {
    clearInterval(ticker);
    clearTimeout(timer);
    source?.close();
  };
}
