import { useEffect, useState } from 'react';
import { formatDuration } from '~/lib/format';

const STEP_MS = 100;

/** The time since `from`, counting on until `to` is known. */
export function Ticking({ from, to }: { from: number; to: number | null | undefined }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (to != null) return;
    const timer = setInterval(() => setNow(Date.now()), STEP_MS);
    return () => clearInterval(timer);
  }, [to]);
  return <span className="numbers">{formatDuration(Math.max(0, (to ?? now) - from))}</span>;
}
