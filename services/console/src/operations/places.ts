import { formatCount } from '~/lib/format';

/** What workers have in hand. They take more than they run at once, so that the next is ready: it may be more than there are places. */
export function inHand(running: number | null | undefined, capacity: number | null | undefined): string {
  const isMore = (running ?? 0) > (capacity ?? 0);
  return isMore
    ? `${formatCount(running)} (${formatCount(capacity)} at once)`
    : `${formatCount(running)} of ${formatCount(capacity)}`;
}
