import { useEffect, useMemo, useState } from 'react';
import { eventsPage } from '~/api/queries';
import type { EventEnvelope } from '~/api/types';
import { useLive } from '../live/context';

/** Pages of the record that are read; each has 256 events. */
const MOST_PAGES = 40;

/** The run's events: those of the record first, then what came over the stream; each once. */
export function useEvents(execution: string): { events: EventEnvelope[]; complete: boolean } {
  const [recorded, setRecorded] = useState<EventEnvelope[]>([]);
  const live = useLive(state => state.events);
  const ended = useLive(state => state.connection === 'ended');
  useEffect(() => {
    const reading = new AbortController();
    const read = async (): Promise<void> => {
      let from: string | null = '0';
      for (let page = 0; page < MOST_PAGES && from !== null; page += 1) {
        const { rows, next } = await eventsPage(execution, from, reading.signal);
        setRecorded(before => merge(before, rows));
        from = next;
      }
    };
    // The stream is tried again by itself; what the record would add can wait for the next visit.
    read().catch(() => undefined);
    return () => reading.abort();
  }, [execution]);
  const events = useMemo(() => merge(recorded, live), [recorded, live]);
  return { events, complete: ended };
}

function merge(a: readonly EventEnvelope[], b: readonly EventEnvelope[]): EventEnvelope[] {
  const byId = new Map(a.map(event => [event.id, event]));
  for (const event of b) byId.set(event.id, event);
  return [...byId.values()].sort((one, other) => order(one) - order(other));
}

/** By time; the durable ones of one instant by their place in the log. */
function order(event: EventEnvelope): number {
  return Date.parse(event.time) + (event.seq ?? 0) / 1e7;
}
