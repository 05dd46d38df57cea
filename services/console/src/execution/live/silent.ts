/**
 * The run as its record has it, for as long as its stream says nothing: a proxy on the way may hold event streams back until they
 * end, or for good. The stream's first word takes the place of all of it.
 */
import { nodeRunsPage, type Page } from '~/api/queries';
import { isMissing, request } from '~/api/request';
import type { Execution, NodeRun } from '~/api/types';
import { rest } from '~/lib/rest';
import { isTerminal } from './state';

/** Before the record is read; then twice as long, and so on. */
export const SILENT_MS = 4_000;
const LONGEST_MS = 30_000;

export interface Told {
  isSilent(): boolean;
  onRecord(execution: Execution): void;
  onRuns(runs: NodeRun[]): void;
}

export async function readWhileSilent(id: string, told: Told, signal: AbortSignal): Promise<void> {
  const isOver = (): boolean => signal.aborted || !told.isSilent();
  for (let pause = SILENT_MS; ; pause = Math.min(pause * 2, LONGEST_MS)) {
    await rest(pause, signal);
    if (isOver()) return;
    // Nobody sees it.
    if (document.hidden) continue;
    try {
      if (await readOnce(id, told, signal, isOver)) return;
    } catch (error) {
      if (isMissing(error)) return;
    }
  }
}

/** Says whether there is no more to come. */
async function readOnce(
  id: string,
  told: Told,
  signal: AbortSignal,
  isOver: () => boolean,
): Promise<boolean> {
  const execution = await request<Execution>(`/executions/${id}`, { signal });
  if (isOver()) return true;
  told.onRecord(execution);
  let ended = 0;
  let after: string | null = null;
  do {
    const page: Page<NodeRun> = await nodeRunsPage(id, after, signal);
    if (isOver()) return true;
    told.onRuns(page.rows);
    ended += page.rows.filter(run => isTerminal(run.status)).length;
    after = page.next;
  } while (after !== null);
  const { completed, failed, skipped } = execution.progress;
  return isTerminal(execution.status) && ended >= completed + failed + skipped;
}
