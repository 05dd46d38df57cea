import { nodeRunsPage, type Page } from '~/api/queries';
import type { NodeRun } from '~/api/types';

/** Pages that are read for a comparison; each has 1,000 node runs. */
const MOST_PAGES = 20;

export interface NodeRuns {
  runs: NodeRun[];
  /** Whether there are more than were read. */
  cut: boolean;
}

/** The run's node runs, page by page, up to a limit that is told. */
export async function readNodeRuns(id: string, signal?: AbortSignal): Promise<NodeRuns> {
  const runs: NodeRun[] = [];
  let after: string | null = null;
  for (let at = 0; at < MOST_PAGES; at += 1) {
    const page: Page<NodeRun> = await nodeRunsPage(id, after, signal);
    runs.push(...page.rows);
    after = page.next;
    if (after === null) return { runs, cut: false };
  }
  return { runs, cut: true };
}
