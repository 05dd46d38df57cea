import { formatCount, formatDuration } from '~/lib/format';

/** What workers have in hand. They take more than they run at once, so that the next is ready: it may be more than there are places. */
export function inHand(running: number | null | undefined, capacity: number | null | undefined): string {
  const isMore = (running ?? 0) > (capacity ?? 0);
  return isMore
    ? `${formatCount(running)} (${formatCount(capacity)} at once)`
    : `${formatCount(running)} of ${formatCount(capacity)}`;
}

/** Of figures that have come: without queues in them, nobody can say what waits. */
export function waitingNote(waiting: number | null, oldestMs: number): string {
  if (waiting === null) return 'the queues are away';
  return oldestMs > 0 ? `the oldest for ${formatDuration(oldestMs)}` : 'nobody waits';
}
