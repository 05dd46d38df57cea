import { SimpleGrid } from '@mantine/core';
import { useMemo } from 'react';
import type { Kpi, Stats } from '~/api/types';
import { Chart } from '~/charts/Chart';
import type { Line } from '~/charts/TimeChart';
import { formatCount, formatDuration } from '~/lib/format';
import { Panel } from '~/ui/Panel';
import { formatCost } from '../cost';

type Figure = { [Name in keyof Kpi]: Kpi[Name] extends number | null | undefined ? Name : never }[keyof Kpi] &
  keyof Kpi;

/** The window in buckets. */
export function Charts({ stats }: { stats: Stats }) {
  const { series } = stats;
  const times = useMemo(() => series.map(point => point.at), [series]);
  const charts = useMemo(() => {
    const line = (label: string, colour: string, field: Figure, bars = false): Line => ({
      label,
      colour,
      values: series.map(point => (point[field] as number | null | undefined) ?? null),
      bars,
    });
    const failed: Line = {
      label: 'failed',
      colour: 'var(--state-failed)',
      values: series.map(point => point.failed + point.timed_out),
      bars: true,
    };
    return {
      runs: [line('runs', 'var(--state-completed)', 'runs', true), failed],
      took: [
        line('p50', 'var(--phase-decode)', 'p50_ms'),
        line('p95', 'var(--state-queued)', 'p95_ms'),
        line('p99', 'var(--state-failed)', 'p99_ms'),
      ],
      waits: [
        line('p50', 'var(--phase-decode)', 'queue_wait_p50_ms'),
        line('p95', 'var(--state-queued)', 'queue_wait_p95_ms'),
      ],
      jobs: [
        line('jobs', 'var(--phase-inference)', 'jobs', true),
        line('reused', 'var(--phase-batch)', 'jobs_cached', true),
      ],
      cost: [line('cost', 'var(--accent)', 'cost', true)],
    };
  }, [series]);
  const priced = stats.totals.cost != null && stats.totals.cost > 0;
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
      <Panel title="Runs">
        <Chart label="Runs and failures over time" times={times} lines={charts.runs} format={formatCount} />
      </Panel>
      <Panel title="How long runs take">
        <Chart
          label="Percentiles of the time of runs"
          times={times}
          lines={charts.took}
          format={formatDuration}
        />
      </Panel>
      <Panel title="Jobs">
        <Chart
          label="Jobs and reused results over time"
          times={times}
          lines={charts.jobs}
          format={formatCount}
        />
      </Panel>
      {priced ? (
        <Panel title="Cost">
          <Chart label="Cost over time" times={times} lines={charts.cost} format={formatCost} />
        </Panel>
      ) : (
        <Panel title="How long jobs wait for a worker">
          <Chart
            label="Percentiles of the queue wait of jobs"
            times={times}
            lines={charts.waits}
            format={formatDuration}
          />
        </Panel>
      )}
    </SimpleGrid>
  );
}
