import { SimpleGrid, Skeleton, Stack } from '@mantine/core';
import { IconStack2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { queuesQuery } from '~/api/queries';
import type { QueueDepth } from '~/api/types';
import { formatCount, formatDuration, formatRatio } from '~/lib/format';
import { EmptyState } from '~/ui/EmptyState';
import { Page } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { SmallTable } from '~/ui/SmallTable';
import { Tile } from '../Tile';
import { DepthBar } from './DepthBar';

/** Where work waits: jobs for workers, and runs to be begun. */
export function Component() {
  const queues = useQuery(queuesQuery());
  const { data } = queues;
  const jobs = data?.queues.reduce((sum, queue) => sum + queue.waiting, 0) ?? 0;
  const most = Math.max(1, ...(data?.queues ?? []).map(queue => queue.waiting + queue.pending));
  const busy = (data?.queues ?? []).filter(queue => queue.waiting + queue.pending > 0);
  return (
    <Page title="Queues">
      <Stack gap="lg">
        {queues.error && <ProblemNotice error={queues.error} onRetry={() => void queues.refetch()} />}
        {!data && !queues.error && <Skeleton height={220} radius="md" />}
        {data && (
          <>
            <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md">
              <Tile
                label="Jobs that wait"
                value={formatCount(jobs)}
                note={`${formatCount(data.queues.reduce((sum, queue) => sum + queue.pending, 0))} with a worker`}
              />
              <Tile
                label="Runs under way"
                value={formatCount(data.admission.running)}
                note={`of ${formatCount(data.admission.limit)} at once (${formatRatio(data.admission.running / Math.max(1, data.admission.limit))})`}
              />
              <Tile
                label="Runs in line"
                value={formatCount(data.admission.waiting)}
                note={data.admission.priorities
                  .map(level => `${level.priority} ${formatCount(level.waiting)}`)
                  .join(' · ')}
              />
              <Tile
                label="The first in line waits"
                value={formatDuration(data.admission.oldest_ms)}
                alarming={(data.admission.oldest_ms ?? 0) > 60_000}
              />
            </SimpleGrid>
            <Panel title="Jobs by pool and model" flush>
              {busy.length > 0 ? (
                <SmallTable
                  head={['Pool', 'Model', 'Priority', 'Depth', 'Waiting', 'In hand', 'Oldest']}
                  rows={busy
                    .sort(byUrgency)
                    .map(queue => [
                      queue.pool,
                      queue.model ?? 'no model',
                      queue.priority,
                      <DepthBar key="depth" waiting={queue.waiting} pending={queue.pending} most={most} />,
                      formatCount(queue.waiting),
                      formatCount(queue.pending),
                      formatDuration(queue.oldest_ms),
                    ])}
                />
              ) : (
                <EmptyState compact icon={IconStack2} title="Every queue is empty">
                  {data.queues.length > 0
                    ? `${new Set(data.queues.map(queue => `${queue.pool} ${queue.model}`)).size} queues are known and idle.`
                    : 'Queues appear with the first job for a pool and model.'}
                </EmptyState>
              )}
            </Panel>
            {data.admission.flows.length > 0 && (
              <Panel title="Who is in line" flush aside="workflows take turns">
                <SmallTable
                  head={['Flow', 'Priority', 'Waiting', 'Running']}
                  rows={data.admission.flows.map(flow => [
                    <span key="flow" className="mono">
                      {flow.flow.slice(0, 18)}
                    </span>,
                    flow.priority ?? '–',
                    formatCount(flow.waiting),
                    formatCount(flow.running),
                  ])}
                />
              </Panel>
            )}
          </>
        )}
      </Stack>
    </Page>
  );
}

function byUrgency(a: QueueDepth, b: QueueDepth): number {
  return b.waiting - a.waiting || b.pending - a.pending;
}
