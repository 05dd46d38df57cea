import { SimpleGrid } from '@mantine/core';
import { useMemo } from 'react';
import type { Kpi, Stats } from '~/api/types';
import { Chart } from '~/charts/Chart';
import { formatCount, formatDuration } from '~/lib/format';
import { Panel } from '~/ui/Panel';
import { formatCost } from '../cost';

interface Curve {
  label: string;
  colour: string;
  of(bucket: Kpi): number | null | undefined;
}

interface Plot {
  title: string;
  /** What it shows, for those who do not see it. */
  label: string;
  format(value: number): string;
  curves: Curve[];
  bars?: boolean;
}

/** A count; between two of them an axis says nothing. */
function count(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : '';
}

const RUNS: Plot = {
  title: 'Runs',
  label: 'Runs and failures over time',
  format: count,
  bars: true,
  curves: [
    { label: 'runs', colour: 'var(--state-completed)', of: at => at.runs },
    { label: 'failed', colour: 'var(--state-failed)', of: at => at.failed + at.timed_out },
  ],
};

const DURATIONS: Plot = {
  title: 'How long runs take',
  label: 'Percentiles of the time of runs',
  format: formatDuration,
  curves: [
    { label: 'p50', colour: 'var(--phase-decode)', of: at => at.p50_ms },
    { label: 'p95', colour: 'var(--state-queued)', of: at => at.p95_ms },
    { label: 'p99', colour: 'var(--state-failed)', of: at => at.p99_ms },
  ],
};

const JOBS: Plot = {
  title: 'Jobs',
  label: 'Jobs and reused results over time',
  format: count,
  bars: true,
  curves: [
    { label: 'jobs', colour: 'var(--phase-inference)', of: at => at.jobs },
    { label: 'reused', colour: 'var(--phase-batch)', of: at => at.jobs_cached },
  ],
};

const WAITS: Plot = {
  title: 'How long jobs wait for a worker',
  label: 'Percentiles of the queue wait of jobs',
  format: formatDuration,
  curves: [
    { label: 'p50', colour: 'var(--phase-decode)', of: at => at.queue_wait_p50_ms },
    { label: 'p95', colour: 'var(--state-queued)', of: at => at.queue_wait_p95_ms },
  ],
};

const COST: Plot = {
  title: 'Cost',
  label: 'Cost over time',
  format: formatCost,
  bars: true,
  curves: [{ label: 'cost', colour: 'var(--accent)', of: at => at.cost }],
};

/** The window in buckets. Where nothing has a price there is no cost to draw. */
export function Charts({ stats }: { stats: Stats }) {
  const priced = (stats.totals.cost ?? 0) > 0;
  const plots = [RUNS, DURATIONS, JOBS, WAITS, ...(priced ? [COST] : [])];
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
      {plots.map(plot => (
        <Series key={plot.title} plot={plot} buckets={stats.series} />
      ))}
    </SimpleGrid>
  );
}

function Series({ plot, buckets }: { plot: Plot; buckets: readonly Kpi[] }) {
  const { title, label, format, curves, bars } = plot;
  const times = useMemo(() => buckets.map(bucket => bucket.at), [buckets]);
  const lines = useMemo(
    () => curves.map(({ of, ...curve }) => ({ ...curve, bars, values: buckets.map(at => of(at) ?? null) })),
    [buckets, curves, bars],
  );
  return (
    <Panel title={title}>
      <Chart label={label} times={times} lines={lines} format={format} />
    </Panel>
  );
}
