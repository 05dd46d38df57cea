import type { NodeStatus } from '~/api/types';
import { formatCount, words } from '~/lib/format';
import type { NodeState } from '../live/state';
import classes from './ItemStrip.module.css';

const ORDER: NodeStatus[] = [
  'completed',
  'running',
  'queued',
  'pending',
  'skipped',
  'cancelled',
  'failed',
  'timed_out',
];
/** Up to so many items are drawn one by one. */
const MOST_CELLS = 48;

/** How the items of a loop stand at this node: one cell each while they are few, shares when they are many. */
export function ItemStrip({ state, expected }: { state: NodeState; expected: number }) {
  const { counts, total, runs } = state;
  const missing = Math.max(0, expected - total);
  const parts = ORDER.filter(status => counts[status] > 0);
  const label = parts.map(status => `${formatCount(counts[status])} ${words(status)}`).join(', ');
  const troubled = counts.failed + counts.timed_out;
  return (
    <div className={classes.wrap}>
      <div className={classes.strip} role="img" aria-label={label} title={label}>
        {total <= MOST_CELLS
          ? [...runs].map(([path, run]) => (
              <span
                key={path}
                className={classes.cell}
                style={{ background: `var(--state-${run.status})` }}
              />
            ))
          : parts.map(status => (
              <span key={status} style={{ flexGrow: counts[status], background: `var(--state-${status})` }} />
            ))}
        {missing > 0 && <span style={{ flexGrow: missing }} />}
      </div>
      {troubled > 0 && <span className={classes.troubled}>{formatCount(troubled)} failed</span>}
    </div>
  );
}
