import { describe, expect, it } from 'vitest';
import type { EventEnvelope } from '~/api/types';
import { mergeEvents } from './mergeEvents';
import { readEvents } from './readEvents';

const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();
const event = (id: string, time: number, seq?: number, epoch = 1): EventEnvelope => ({
  specversion: '1.0',
  id,
  type: 'millrace.workflow.node.completed',
  time: at(time),
  source: '/millrace/orchestrator',
  data: {},
  ...(seq !== undefined && { seq, epoch }),
});
const durable = (seq: number, epoch = 1) => event(`${epoch}-${seq}`, seq * 10, seq, epoch);
const ids = (events: readonly EventEnvelope[]) => events.map(({ id }) => id);

/** A record of `count` events, in pages of two; the page after `broken` does not come. */
function record(count: number, broken?: string) {
  return async (from: string) => {
    if (from === broken) throw new Error('away');
    const first = from === '0' ? 0 : Number(from.split('-')[1]);
    const rows = [first + 1, first + 2].filter(seq => seq <= count).map(seq => durable(seq));
    return { rows, next: rows.length === 2 ? `1-${first + 2}` : null };
  };
}

async function read(page: ReturnType<typeof record>, after: EventEnvelope | null, most?: number) {
  const events: EventEnvelope[] = [];
  const outcome = await readEvents({ after, page, onPage: rows => events.push(...rows), most });
  return [outcome, ...ids(events)];
}

describe('readEvents', () => {
  it('reads to the end of the record, and later what was added', async () => {
    expect(await read(record(5), null)).toEqual(['read', '1-1', '1-2', '1-3', '1-4', '1-5']);
    expect(await read(record(6), durable(5))).toEqual(['read', '1-6']);
    expect(await read(record(4), durable(4))).toEqual(['read']);
  });

  it('says that it stopped before the end, and why', async () => {
    expect(await read(record(9), null, 2)).toEqual(['cut', '1-1', '1-2', '1-3', '1-4']);
    expect(await read(record(9, '1-4'), null)).toEqual(['failed', '1-1', '1-2', '1-3', '1-4']);
  });
});

describe('mergeEvents', () => {
  it('has each event of the log once, and live ones in between by their time', () => {
    const live = [event('queued', 15), event('started', 35), event('late', 99)];
    const merged = mergeEvents(
      [durable(1), durable(2)],
      [durable(2), durable(3), durable(3), durable(1, 2)],
      live,
    );
    expect(ids(merged)).toEqual(['1-1', 'queued', '1-2', '1-3', '2-1', 'started', 'late']);
  });
});
