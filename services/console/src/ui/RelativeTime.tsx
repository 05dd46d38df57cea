import { useSyncExternalStore } from 'react';
import { formatDate, formatRelative } from '~/lib/format';

const STEP_MS = 5_000;
let now = Date.now();

function subscribe(listener: () => void): () => void {
  const timer = setInterval(() => {
    now = Date.now();
    listener();
  }, STEP_MS);
  return () => clearInterval(timer);
}

/** `3 min ago`, kept up to date; the full time on hovering. */
export function RelativeTime({ at }: { at: number }) {
  const current = useSyncExternalStore(subscribe, () => now);
  return (
    <time dateTime={new Date(at).toISOString()} title={formatDate(at)}>
      {formatRelative(at, Math.max(current, at))}
    </time>
  );
}
