import { SimpleGrid, Skeleton, Stack, Switch } from '@mantine/core';
import { IconServer2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { workersQuery } from '~/api/queries';
import { EmptyState } from '~/ui/EmptyState';
import { Page } from '~/ui/Page';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { WorkerCard } from './WorkerCard';

/** The fleet, as it says of itself. */
export function Component() {
  const workers = useQuery(workersQuery());
  const [lost, setLost] = useState(false);
  const rows = (workers.data ?? []).filter(worker => lost || worker.alive);
  return (
    <Page
      title="Workers"
      toolbar={
        <Switch
          size="xs"
          label="Show those that were lost"
          checked={lost}
          onChange={event => setLost(event.currentTarget.checked)}
        />
      }
    >
      <Stack>
        {workers.error && <ProblemNotice error={workers.error} onRetry={() => void workers.refetch()} />}
        {workers.isPending && <Skeleton height={220} radius="md" />}
        {workers.data && rows.length === 0 && (
          <EmptyState icon={IconServer2} title="No worker is there">
            Jobs wait until one is. Start one with <code>millrace worker</code>; <code>millrace up</code>{' '}
            brings its own.
          </EmptyState>
        )}
        <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }} spacing="md">
          {rows.map(worker => (
            <WorkerCard key={worker.worker_id} worker={worker} />
          ))}
        </SimpleGrid>
      </Stack>
    </Page>
  );
}
