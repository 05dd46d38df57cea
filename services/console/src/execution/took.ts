import type { NodeRun } from '~/api/types';

/** How long a node run took from its queue to its end, as it is said everywhere; null before the end. */
export function tookMs({ queued_at, started_at, completed_at }: NodeRun): number | null {
  const from = queued_at ?? started_at;
  return from == null || completed_at == null ? null : completed_at - from;
}
