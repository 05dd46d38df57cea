/** How long an event takes from the moment it was made to the frame that shows it, as user timing entries. */
import type { EventEnvelope } from '~/api/types';

export const EVENT_TO_PIXEL = 'millrace:event-to-pixel';
/** From the moment it arrived here: the console's own part of it. */
export const ARRIVAL_TO_PIXEL = 'millrace:arrival-to-pixel';

const MOST_ENTRIES = 5_000;
/** Replayed events are old; only fresh ones say something about speed. */
const FRESH_MS = 5_000;

let entries = 0;

/** To be called when `events`, of which the first came at `arrived`, have been handed to React. */
export function measureAfterPaint(events: readonly EventEnvelope[], arrived: number): void {
  const now = Date.now();
  const times = events.map(event => Date.parse(event.time)).filter(time => now - time < FRESH_MS);
  if (times.length === 0 || document.hidden) return;
  const { port1, port2 } = new MessageChannel();
  // We are inside a frame's callbacks: after them come style, layout and paint; a message is handled behind those.
  port1.onmessage = () => {
    port1.close();
    note(times, arrived, performance.now());
  };
  port2.postMessage(null);
}

function note(times: readonly number[], arrived: number, shown: number): void {
  entries += times.length + 1;
  if (entries > MOST_ENTRIES) {
    performance.clearMeasures(EVENT_TO_PIXEL);
    performance.clearMeasures(ARRIVAL_TO_PIXEL);
    entries = 0;
  }
  performance.measure(ARRIVAL_TO_PIXEL, { start: arrived, end: shown });
  for (const time of times) {
    const start = Math.max(0, Math.min(time - performance.timeOrigin, shown));
    performance.measure(EVENT_TO_PIXEL, { start, end: shown });
  }
}
