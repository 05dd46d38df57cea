import {
  IconAlertTriangle,
  IconBan,
  IconCircleCheck,
  IconCircleDashed,
  IconClockExclamation,
  IconHourglass,
  IconLoader2,
  IconPlayerSkipForward,
  type Icon,
} from '@tabler/icons-react';
import type { ExecutionStatus, NodeStatus } from '~/api/types';
import { words } from '~/lib/format';
import classes from './Status.module.css';

export type AnyStatus = ExecutionStatus | NodeStatus;

const ICONS: Record<AnyStatus, Icon> = {
  pending: IconCircleDashed,
  queued: IconHourglass,
  running: IconLoader2,
  completed: IconCircleCheck,
  failed: IconAlertTriangle,
  cancelled: IconBan,
  skipped: IconPlayerSkipForward,
  timed_out: IconClockExclamation,
};

/** A state's icon, in its colour; the shape tells it as well as the colour does. */
export function StatusIcon({ status, size = 16 }: { status: AnyStatus; size?: number }) {
  const Icon = ICONS[status];
  return (
    <span className={classes.icon} style={{ color: `var(--state-${status})` }} data-status={status}>
      <Icon size={size} stroke={2} aria-hidden />
    </span>
  );
}

/** A state as icon and word. */
export function StatusBadge({ status }: { status: AnyStatus }) {
  return (
    <span
      className={classes.badge}
      style={{ color: `var(--state-${status})`, background: `var(--state-${status}-soft)` }}
    >
      <StatusIcon status={status} size={13} />
      {words(status)}
    </span>
  );
}
