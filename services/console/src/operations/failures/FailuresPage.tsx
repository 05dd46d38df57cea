import { Skeleton, Stack, Text } from '@mantine/core';
import { IconMoodSmile } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { deadLettersQuery, executionsPage, failedJobsQuery, statsQuery } from '~/api/queries';
import { adviceFor } from '~/execution/errors';
import { ExecutionsTable } from '~/executions/ExecutionsTable';
import { formatCount } from '~/lib/format';
import { useMay } from '~/login/who';
import { EmptyState } from '~/ui/EmptyState';
import { Page } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { table } from '~/ui/tableClasses';
import { DeadLetters } from './DeadLetters';
import { JobsTable } from './JobsTable';

const SHOWN = 25;

/** What went wrong lately: runs that failed, jobs nobody could make good, events nobody could record. */
export function Component() {
  const runs = useQuery({
    queryKey: ['executions', 'failed'],
    queryFn: async ({ signal }) => {
      const [failed, late] = await Promise.all(
        ['failed', 'timed_out'].map(status => executionsPage({ status, limit: SHOWN }, null, signal)),
      );
      return [...(failed?.rows ?? []), ...(late?.rows ?? [])]
        .sort((a, b) => b.created_at - a.created_at)
        .slice(0, SHOWN);
    },
    refetchInterval: 5_000,
  });
  const jobs = useQuery(failedJobsQuery());
  const stats = useQuery(statsQuery('24h'));
  const letters = useQuery({ ...deadLettersQuery(), enabled: useMay('admin') === true });
  const error = runs.error ?? jobs.error;
  const nothing = [runs, jobs].every(list => list.data?.length === 0) && !letters.data?.length;
  const kinds = stats.data?.errors ?? [];
  return (
    <Page title="Failures">
      <Stack gap="lg">
        {error && (
          <ProblemNotice error={error} onRetry={() => void Promise.all([runs.refetch(), jobs.refetch()])} />
        )}
        {runs.isPending && <Skeleton height={200} radius="md" />}
        {nothing && (
          <EmptyState icon={IconMoodSmile} title="Nothing has failed">
            Runs that fail, and jobs whose attempts are used up, are listed here with what to do about them.
          </EmptyState>
        )}
        {kinds.length > 0 && (
          <Panel title="By kind, in 24 hours" flush>
            <table className={table.table}>
              <thead>
                <tr>
                  <th>Kind</th>
                  <th className={table.end}>Runs</th>
                  <th className={table.end}>Attempts</th>
                  <th className={table.optional}>What to do</th>
                </tr>
              </thead>
              <tbody>
                {kinds.map(({ kind, runs: ended, jobs: attempts }) => (
                  <tr key={kind}>
                    <td className="mono">{kind}</td>
                    <td className={`numbers ${table.end}`}>{formatCount(ended)}</td>
                    <td className={`numbers ${table.end}`}>{formatCount(attempts)}</td>
                    <td className={table.optional}>
                      <Text size="xs" c="dimmed">
                        {adviceFor(kind)}
                      </Text>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Panel>
        )}
        {runs.data && runs.data.length > 0 && (
          <Panel title="Runs that failed" flush>
            <ExecutionsTable rows={runs.data} reasons framed={false} />
          </Panel>
        )}
        {jobs.data && jobs.data.length > 0 && (
          <Panel title="Jobs whose attempts are used up" flush>
            <JobsTable jobs={jobs.data} />
          </Panel>
        )}
        <DeadLetters />
      </Stack>
    </Page>
  );
}
