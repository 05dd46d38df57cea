import { useSyncExternalStore } from 'react';
import { formatDate, formatRelative } from '~/lib/format';

const STEP_MS = 5_000;

function subscribe(listener: () => void): () => void {
  const timer = setInterval(listener, STEP_MS);
  return () => clearInterval(timer);
}

/** The present in steps, so that all times on a page go on together, and one that is drawn begins with what is. */
function present(): number {
  return Math.floor(Date.now() / STEP_MS) * STEP_MS;
}

/** `3 min ago`, kept up to date; the full time on hovering. */
export function RelativeTime({ at }: { at: number }) {
  const current = useSyncExternalStore(subscribe, present);
  return (
    <time dateTime={new Date(at).toISOString()} title={formatDate(at)}>
      {formatRelative(at, Math.max(current, at))}
    </time>
  );
}
