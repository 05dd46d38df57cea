/** How long an event takes from the moment it was made to the frame that shows it, as user timing entries. */
import type { EventEnvelope } from '~/api/types';

export const EVENT_TO_PIXEL = 'millrace:event-to-pixel';
const MOST_ENTRIES = 2_000;
/** Replayed events are old; only fresh ones say something about speed. */
const FRESH_MS = 5_000;

/** To be called when `events` have been handed to React: the frame after next has them on the screen. */
export function measureAfterPaint(events: readonly EventEnvelope[]): void {
  const now = Date.now();
  const times = events.map(event => Date.parse(event.time)).filter(time => now - time < FRESH_MS);
  if (times.length === 0 || document.hidden) return;
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    // After the frame's callbacks come style, layout and paint; a message posted now is handled behind them.
    port1.onmessage = () => {
      port1.close();
      const shown = performance.now();
      if (performance.getEntriesByName(EVENT_TO_PIXEL).length > MOST_ENTRIES)
        performance.clearMeasures(EVENT_TO_PIXEL);
      for (const time of times) {
        const start = Math.max(0, Math.min(time - performance.timeOrigin, shown));
        performance.measure(EVENT_TO_PIXEL, { start, end: shown });
      }
    };
    port2.postMessage(null);
  });
}
