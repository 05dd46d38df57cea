/** What the record has of a run beside its outputs and events: how it was asked for, and what it took. */
import type { Execution } from '~/api/types';
import { formatCount, formatDate, formatDuration } from '~/lib/format';
import { formatCost } from '~/operations/cost';

export type Fact = readonly [name: string, value: string];

/** What was not asked for, or is not known, is left out. */
export function factsOf(execution: Execution): Fact[] {
  const { queue } = execution;
  return known([
    ['Priority', execution.priority],
    ['Pool', execution.pool],
    ['Place in line', queue && formatCount(queue.position)],
    ['Inference jobs', jobs(execution)],
    ['Cost', execution.cost == null ? null : formatCost(execution.cost)],
    ['Accepted', at(execution.created_at)],
    ['Began', at(execution.started_at)],
    ['Ended', at(execution.completed_at)],
    ['Took, from acceptance', execution.duration_ms == null ? null : formatDuration(execution.duration_ms)],
    ['Region', execution.region],
    ['Batch', execution.batch_id],
    ['Schedule', execution.schedule_id],
  ]);
}

const OUTCOMES = { pending: 'not told yet', delivered: 'told', failed: 'given up' } as const;

/** Who is told of the run's end, and what came of it. */
export function callbackFacts({ callback }: Execution): Fact[] {
  if (!callback) return [];
  return known([
    ['Address', callback.url],
    ['Outcome', OUTCOMES[callback.status]],
    ['Sent', times(callback.attempts)],
    [callback.status === 'failed' ? 'Given up' : 'Delivered', at(callback.at)],
    ['Reason', callback.error],
  ]);
}

function jobs(run: Execution): string {
  const counts = [
    `${formatCount(run.inference_jobs_completed)} done`,
    run.inference_jobs_failed > 0 && `${formatCount(run.inference_jobs_failed)} failed`,
    run.inference_jobs_pending > 0 && `${formatCount(run.inference_jobs_pending)} to come`,
  ];
  return counts.filter(Boolean).join(', ');
}

function times(count: number | null | undefined): string | null {
  if (count == null) return null;
  return count === 1 ? 'once' : `${formatCount(count)} times`;
}

const at = (time: number | null | undefined) => (time == null ? null : formatDate(time));

function known(facts: [string, string | null | undefined][]): Fact[] {
  return facts.flatMap(([name, value]) => (value ? [[name, value] as const] : []));
}
