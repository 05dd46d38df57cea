import { useEffect, useMemo, useRef, useState } from 'react';
import { eventsPage } from '~/api/queries';
import type { EventEnvelope } from '~/api/types';
import { useLive } from '../live/context';
import { mergeEvents } from './mergeEvents';
import { readEvents, type Outcome } from './readEvents';

export interface RunEvents {
  events: EventEnvelope[];
  /** `complete`: these are all. `growing`: more will come by themselves. Else these are the first of them. */
  extent: 'complete' | 'growing' | 'cut' | 'failed';
  /** Reads on where the reading stopped. */
  readOn(): void;
}

/** The run's events: those of the record, and what comes over the stream; each once. */
export function useEvents(execution: string): RunEvents {
  const [recorded, setRecorded] = useState<EventEnvelope[]>([]);
  const [done, setDone] = useState<{ reading: string; outcome: Outcome } | null>(null);
  const [round, setRound] = useState(0);
  const last = useRef<EventEnvelope | null>(null);
  const durable = useLive(state => state.durable);
  const passing = useLive(state => state.passing);
  const ended = useLive(state => state.connection === 'ended');
  // When the stream has ended the record is read to its end: what the stream left out is there.
  const reading = `${ended} ${round}`;
  useEffect(() => {
    const aborting = new AbortController();
    void readEvents({
      after: last.current,
      page: from => eventsPage(execution, from, aborting.signal),
      onPage(events) {
        if (aborting.signal.aborted) return;
        last.current = events.at(-1) ?? null;
        setRecorded(before => [...before, ...events]);
      },
    }).then(outcome => {
      if (!aborting.signal.aborted) setDone({ reading, outcome });
    });
    return () => aborting.abort();
  }, [execution, reading]);
  const events = useMemo(() => mergeEvents(recorded, durable, passing), [recorded, durable, passing]);
  return {
    events,
    extent: extentOf(done?.reading === reading ? done.outcome : null, ended),
    readOn: () => setRound(round + 1),
  };
}

function extentOf(outcome: Outcome | null, ended: boolean): RunEvents['extent'] {
  if (outcome === 'cut' || outcome === 'failed') return outcome;
  return outcome === 'read' && ended ? 'complete' : 'growing';
}
