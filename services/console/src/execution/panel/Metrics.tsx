import { Group, Text } from '@mantine/core';
import { Link } from 'react-router';
import type { NodeRun } from '~/api/types';
import { formatClock, formatDuration, shortId } from '~/lib/format';
import { Tag } from '~/ui/Tag';
import { phasesOf } from '../timeline/phases';
import { tookMs } from '../took';
import classes from './Metrics.module.css';

/** When it ran, where, and where its time went. */
export function Metrics({ run }: { run: NodeRun }) {
  const took = tookMs(run);
  const phases = phasesOf(run);
  const total = phases.reduce((sum, phase) => sum + phase.ms, 0);
  return (
    <section aria-label="Time">
      <dl className={classes.facts}>
        {run.started_at != null && <Fact name="Started" value={formatClock(run.started_at)} />}
        {took !== null && <Fact name="Took" value={formatDuration(took)} />}
        {run.attempt > 1 && <Fact name="Attempts" value={String(run.attempt)} />}
        {run.worker_id && <Fact name="Worker" value={shortId(run.worker_id)} />}
        {run.metrics?.device && <Fact name="Device" value={run.metrics.gpu_model ?? run.metrics.device} />}
        {(run.metrics?.batch_size ?? 0) > 0 && <Fact name="Batch" value={String(run.metrics?.batch_size)} />}
      </dl>
      {(run.metrics?.cached || run.origin) && (
        <Group gap={6} mb="xs">
          <Tag tone="good">reused</Tag>
          {run.origin && (
            <Text size="xs" c="dimmed" component={Link} to={`/executions/${run.origin}`}>
              from the run {shortId(run.origin)}
            </Text>
          )}
        </Group>
      )}
      {total > 0 && (
        <>
          <div className={classes.bar} aria-hidden>
            {phases.map(phase => (
              <span
                key={phase.name}
                style={{ flexGrow: phase.ms, background: phase.colour }}
                title={phase.name}
              />
            ))}
          </div>
          <ul className={classes.legend}>
            {phases.map(phase => (
              <li key={phase.name}>
                <span style={{ background: phase.colour }} />
                {phase.name}
                <b>{formatDuration(phase.ms)}</b>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="numbers">{value}</dd>
    </div>
  );
}
