/** The run's events in one list: those of the record, those of the stream that the record's reading has not reached, the live ones. */
import type { EventEnvelope } from '~/api/types';

/** `recorded` and `durable` are in the order of the log, `passing` as they came; the result is in the order of time. */
export function mergeEvents(
  recorded: readonly EventEnvelope[],
  durable: readonly EventEnvelope[],
  passing: readonly EventEnvelope[],
): EventEnvelope[] {
  const log = [...recorded];
  // A stream that was opened anew may say some of them again.
  for (const event of durable) {
    const last = log.at(-1);
    if (!last || isAfter(event, last)) log.push(event);
  }
  if (passing.length === 0) return log;
  const merged: EventEnvelope[] = [];
  let at = 0;
  for (const event of log) {
    const time = Date.parse(event.time);
    for (let next = passing[at]; next && Date.parse(next.time) < time; next = passing[at]) {
      merged.push(next);
      at += 1;
    }
    merged.push(event);
  }
  return [...merged, ...passing.slice(at)];
}

function isAfter(event: EventEnvelope, last: EventEnvelope): boolean {
  const epochs = (event.epoch ?? 0) - (last.epoch ?? 0);
  return epochs > 0 || (epochs === 0 && (event.seq ?? 0) > (last.seq ?? 0));
}
