/**
 * A run's event stream that does not give up, while the page is seen: the browser resumes by `Last-Event-ID` after a broken connection; where it
 * stops trying (an error answer while the server restarts), or where events are missing, a new stream is opened from the
 * last place that is known. So it is when a page is seen again that was hidden.
 */
import { API } from '~/api/request';
import type { EventEnvelope, Snapshot } from '~/api/types';
import { whileSeen } from '~/lib/whileSeen';
import type { Message } from './state';

/** `ended`: the run is over; `gone`: it was deleted. */
export type Connection = 'connecting' | 'open' | 'lost' | 'ended' | 'gone';

export interface Follower {
  onMessage(message: Message): void;
  onConnection(connection: Connection): void;
  /** Where to go on, `<epoch>-<seq>`; null for a fresh snapshot. */
  position(): string | null;
  /** The page is seen again: what passed by meanwhile is in no log. */
  onReturn(): void;
}

/** Inference events repeat what node events say; without them a large loop costs half. */
export const RUN_EVENTS = [
  'started',
  'completed',
  'failed',
  'cancelled',
  'node.queued',
  'node.started',
  'node.progress',
  'node.completed',
  'node.failed',
  'node.retrying',
  'node.skipped',
  'node.cancelled',
  'inference.progress',
];

/** Before what failed is tried again; each time twice as long. */
export const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;

/** Follows a run until its end, while the page is seen; the function that is returned stops it. */
export function followRun(id: string, follower: Follower): { stop(): void; restart(): void } {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause = FIRST_PAUSE_MS;
  let stopped = false;
  let hidden = true;
  let left = false;

  const close = (): void => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const later = (): void => {
    close();
    if (stopped) return;
    follower.onConnection('lost');
    timer = setTimeout(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  };
  const finish = (how: 'ended' | 'gone'): void => {
    close();
    stopped = true;
    follower.onConnection(how);
  };
  const connect = (): void => {
    close();
    if (hidden) return;
    follower.onConnection('connecting');
    const query = new URLSearchParams({ types: RUN_EVENTS.join(',') });
    const position = follower.position();
    if (position) query.set('from', position);
    source = new EventSource(`${API}/executions/${id}/events?${query}`);
    source.onopen = () => {
      pause = FIRST_PAUSE_MS;
      follower.onConnection('open');
    };
    source.onerror = () => {
      if (source?.readyState === EventSource.CLOSED) later();
      else follower.onConnection('lost');
    };
    source.addEventListener('snapshot', event => {
      follower.onMessage({ kind: 'snapshot', snapshot: JSON.parse(event.data) as Snapshot });
    });
    for (const type of RUN_EVENTS) {
      source.addEventListener(type, event => {
        follower.onMessage({ kind: 'event', event: JSON.parse(event.data) as EventEnvelope });
      });
    }
    source.addEventListener('end', () => finish('ended'));
    source.addEventListener('gone', () => finish('gone'));
  };
  const unwatch = whileSeen({
    open() {
      hidden = false;
      if (stopped) return;
      connect();
      if (left) follower.onReturn();
    },
    close() {
      [hidden, left] = [true, true];
      close();
    },
  });
  return {
    stop() {
      stopped = true;
      unwatch();
      close();
    },
    restart() {
      stopped = false;
      connect();
    },
  };
}
