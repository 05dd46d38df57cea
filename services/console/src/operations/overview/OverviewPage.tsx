import { SegmentedControl, SimpleGrid, Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { statsQuery } from '~/api/queries';
import { formatCount, formatDuration, formatRatio } from '~/lib/format';
import { Page } from '~/ui/Page';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { formatCost } from '../cost';
import { inHand, waitingNote } from '../places';
import { Tile } from '../Tile';
import { Charts } from './Charts';
import { LiveTile } from './LiveTile';
import { Recent } from './Recent';
import { Tables } from './Tables';

const WINDOWS = ['15m', '1h', '6h', '24h', '7d'];

/** How it goes: what runs, how fast, how well, at what cost. */
export function Component() {
  const [params, setParams] = useSearchParams();
  const window = WINDOWS.find(one => one === params.get('window')) ?? '1h';
  const stats = useQuery(statsQuery(window));
  const { data } = stats;
  const waiting = data?.queues?.reduce((sum, queue) => sum + queue.waiting, 0) ?? null;
  const oldest = Math.max(0, ...(data?.queues ?? []).map(queue => queue.oldest_ms ?? 0));
  const cached = data && data.totals.jobs > 0 ? data.totals.jobs_cached / data.totals.jobs : null;
  return (
    <Page
      title="Overview"
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Window"
          value={window}
          onChange={value => setParams(value === '1h' ? {} : { window: value }, { replace: true })}
          data={WINDOWS}
        />
      }
    >
      <Stack gap="lg">
        {stats.error && <ProblemNotice error={stats.error} onRetry={() => void stats.refetch()} />}
        <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md">
          <LiveTile />
          <Tile
            label="Success"
            value={formatRatio(data?.totals.success_rate)}
            alarming={(data?.totals.success_rate ?? 1) < 0.95}
            note={
              data &&
              `${formatCount(data.totals.runs)} runs, ${formatCount(data.totals.failed + data.totals.timed_out)} failed`
            }
          />
          <Tile
            label="A run takes, p50"
            value={formatDuration(data?.totals.p50_ms)}
            note={
              data && `p95 ${formatDuration(data.totals.p95_ms)} · p99 ${formatDuration(data.totals.p99_ms)}`
            }
          />
          <Tile
            label="Waiting jobs"
            value={formatCount(waiting)}
            alarming={oldest > 60_000}
            note={data && waitingNote(waiting, oldest)}
          />
          <Tile
            label="Jobs"
            value={formatCount(data?.totals.jobs)}
            note={data && `${formatCount(data.totals.jobs_failed)} of the attempts failed`}
          />
          <Tile label="Reused results" value={formatRatio(cached)} note="of the jobs, by content" />
          <Tile
            label="Workers"
            value={data?.workers ? `${data.workers.alive}` : '–'}
            alarming={data?.workers?.alive === 0}
            note={data?.workers && `${inHand(data.workers.running, data.workers.capacity)} jobs in hand`}
          />
          <Tile
            label="Cost"
            value={formatCost(data?.costs.runs)}
            note={data && costNote(data.costs.per_1000_inferences)}
          />
        </SimpleGrid>
        {data ? <Charts stats={data} /> : !stats.error && <Skeleton height={240} radius="md" />}
        <Recent />
        {data && <Tables stats={data} />}
      </Stack>
    </Page>
  );
}

function costNote(perThousand: number | null | undefined): string {
  return perThousand == null
    ? 'no pool has a price (cost.prices)'
    : `${formatCost(perThousand)} per 1,000 inferences`;
}
