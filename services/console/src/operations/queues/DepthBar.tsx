import classes from './DepthBar.module.css';

interface Props {
  waiting: number;
  pending: number;
  most: number;
}

/** A queue's depth against the deepest. */
export function DepthBar({ waiting, pending, most }: Props) {
  return (
    <span className={classes.bar} role="img" aria-label={`${waiting} waiting, ${pending} in hand`}>
      <span style={{ width: `${(pending / most) * 100}%`, background: 'var(--state-running)' }} />
      <span style={{ width: `${(waiting / most) * 100}%`, background: 'var(--state-queued)' }} />
    </span>
  );
}
