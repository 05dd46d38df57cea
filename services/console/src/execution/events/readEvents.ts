/** Reads a run's record of events, page by page, from where the last reading ended. */
import type { Page } from '~/api/queries';
import type { EventEnvelope } from '~/api/types';

/** Pages of one reading; each has 256 events. What is beyond is read when somebody asks for it. */
const MOST_PAGES = 200;

/** How a reading ended: with the record's last event, at its limit, or with a page that did not come. */
export type Outcome = 'read' | 'cut' | 'failed';

interface Reading {
  /** The last event that is known; null for the record from its beginning. */
  after: EventEnvelope | null;
  page(from: string): Promise<Page<EventEnvelope>>;
  onPage(events: EventEnvelope[]): void;
  most?: number;
}

export async function readEvents({ after, page, onPage, most = MOST_PAGES }: Reading): Promise<Outcome> {
  let from = after ? `${after.epoch}-${after.seq}` : '0';
  for (let at = 0; at < most; at += 1) {
    const read = await page(from).catch(() => null);
    if (!read) return 'failed';
    if (read.rows.length > 0) onPage(read.rows);
    if (read.next === null) return 'read';
    from = read.next;
  }
  return 'cut';
}
