/**
 * What a snapshot left out, page by page from the record. The record follows the log and may be behind, so it is read again
 * until nothing is missing; with growing pauses, never shorter than the reading before, and not for ever.
 */
import { nodeRunsPage, type Page } from '~/api/queries';
import { isMissing } from '~/api/request';
import type { NodeRun } from '~/api/types';
import { rest } from '~/lib/rest';
import { FIRST_PAUSE_MS } from './stream';

/** Readings in a row that brought nothing; with the pauses between them some twenty minutes. */
export const MOST_TRIES = 25;
const LONGEST_REST_MS = 60_000;

export interface Filled {
  /** Takes a page of the record. */
  onRuns(runs: NodeRun[]): void;
  /** How many node runs are missing, with all pages counted that were handed over. */
  missing(): number;
}

export async function fill(id: string, into: Filled, signal: AbortSignal): Promise<void> {
  let least = into.missing();
  let tries = 0;
  let began = performance.now();
  while (tries < MOST_TRIES && (await readAll(id, into, signal))) {
    const took = performance.now() - began;
    const missing = into.missing();
    if (missing === 0) return;
    if (missing < least) tries = 0;
    least = Math.min(least, missing);
    tries += 1;
    await again(tries, signal, took);
    began = performance.now();
  }
}

/** Reads the record from its first page to its last; says whether all of them came. */
async function readAll(id: string, into: Filled, signal: AbortSignal): Promise<boolean> {
  let after: string | null = null;
  let tries = 0;
  while (tries < MOST_TRIES && !signal.aborted) {
    let page: Page<NodeRun>;
    try {
      page = await nodeRunsPage(id, after, signal);
    } catch (error) {
      if (isMissing(error)) return false;
      tries += 1;
      await again(tries, signal);
      continue;
    }
    if (signal.aborted) return false;
    into.onRuns(page.rows);
    if (page.next === null) return true;
    [after, tries] = [page.next, 0];
  }
  return false;
}

/** Each time twice as long, and at least so long. */
function again(tries: number, signal: AbortSignal, least = 0): Promise<void> {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_REST_MS);
  return rest(Math.max(pause, least), signal);
}
