import type { Definition } from '~/api/types';
import { formatCount } from '~/lib/format';
import { useLive } from './live/context';
import { expectedRuns } from './live/expected';
import { progressOf } from './live/state';
import classes from './ProgressBar.module.css';

interface Props {
  definition: Definition | undefined;
  /** What the record says of the number of node runs. */
  recorded: number;
}

/** How many of the node runs are done, and how they went. */
export function ProgressBar({ definition, recorded }: Props) {
  const run = useLive(live => live.run);
  const progress = progressOf(run);
  const { completed, failed, skipped, cancelled, running } = progress;
  const total = Math.max(progress.total, recorded, definition ? expectedRuns(definition, run) : 0);
  if (total === 0) return null;
  const share = (count: number) => `${(count / total) * 100}%`;
  const done = completed + failed + skipped;
  const words = [
    `${formatCount(done)} of ${formatCount(total)}`,
    running > 0 && `${formatCount(running)} under way`,
    failed > 0 && `${formatCount(failed)} failed`,
    skipped > 0 && `${formatCount(skipped)} skipped`,
    cancelled > 0 && `${formatCount(cancelled)} cancelled`,
  ].filter(Boolean);
  return (
    <div className={classes.wrap}>
      <div
        className={classes.bar}
        role="progressbar"
        aria-label="Node runs that are done"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
      >
        <span style={{ width: share(completed), background: 'var(--state-completed)' }} />
        <span style={{ width: share(failed), background: 'var(--state-failed)' }} />
        <span style={{ width: share(skipped), background: 'var(--state-skipped)' }} />
        <span style={{ width: share(cancelled), background: 'var(--state-cancelled)' }} />
        <span style={{ width: share(running), background: 'var(--state-running)' }} data-running />
      </div>
      <span className={classes.words}>{words.join(' · ')}</span>
    </div>
  );
}
