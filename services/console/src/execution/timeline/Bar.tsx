import { Tooltip } from '@mantine/core';
import type { NodeStatus } from '~/api/types';
import { formatDuration, words } from '~/lib/format';
import { phasesOf } from './phases';
import type { Row } from './rows';
import classes from './TimelineTab.module.css';

interface Props {
  row: Row;
  status: NodeStatus;
  left: string;
  width: string;
}

/** One node run's time, in its phases; a loop's as one span. */
export function Bar({ row, status, left, width }: Props) {
  const phases = row.run ? phasesOf(row.run) : [];
  const took = formatDuration(row.to - row.from);
  const label = (
    <>
      {row.label} {words(status)}, {took}
      {phases.map(phase => (
        <div key={phase.name}>
          {phase.name}: {formatDuration(phase.ms)}
        </div>
      ))}
    </>
  );
  return (
    <Tooltip label={label}>
      <div
        className={classes.bar}
        style={{ left, width }}
        data-status={status}
        data-plain={phases.length === 0 || undefined}
      >
        {phases.map(phase => (
          <span key={phase.name} style={{ flexGrow: phase.ms, background: phase.colour }} />
        ))}
        <b>{took}</b>
      </div>
    </Tooltip>
  );
}
