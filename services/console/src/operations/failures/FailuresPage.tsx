import { Anchor, Skeleton, Stack, Text } from '@mantine/core';
import { IconMoodSmile } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { executionsPage, failedJobsQuery, statsQuery, workflowsPage } from '~/api/queries';
import type { Job } from '~/api/types';
import { adviceFor } from '~/execution/errors';
import { ExecutionsTable } from '~/executions/ExecutionsTable';
import { formatCount } from '~/lib/format';
import { EmptyState } from '~/ui/EmptyState';
import { Page } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { RelativeTime } from '~/ui/RelativeTime';
import { table } from '~/ui/tableClasses';

const SHOWN = 25;

/** What went wrong lately: runs that failed, and the jobs nobody could make good. */
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
  const workflows = useQuery({
    queryKey: ['workflows', 'first'],
    queryFn: ({ signal }) => workflowsPage(null, signal),
  });
  const names = new Map((workflows.data?.rows ?? []).map(workflow => [workflow.id, workflow.name]));
  const error = runs.error ?? jobs.error;
  const nothing = runs.data?.length === 0 && jobs.data?.length === 0;
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
            <ExecutionsTable rows={runs.data} names={names} framed={false} />
          </Panel>
        )}
        {jobs.data && jobs.data.length > 0 && (
          <Panel title="Dead letters: jobs whose attempts are used up" flush>
            <DeadLetters jobs={jobs.data} />
          </Panel>
        )}
      </Stack>
    </Page>
  );
}

function DeadLetters({ jobs }: { jobs: Job[] }) {
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Node</th>
          <th>Kind</th>
          <th>Cause</th>
          <th className={`${table.end} ${table.optional}`}>Attempt</th>
          <th className={table.end}>Ended</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map(job => (
          <tr key={job.id}>
            <td>
              <Anchor component={Link} to={`/executions/${job.execution_id}?node=${job.node_id}`} size="sm">
                {job.node_id}
                {job.path === '[]' ? '' : job.path}
              </Anchor>{' '}
              <span className={table.cell}>{job.task}</span>
            </td>
            <td className="mono">{job.error_kind}</td>
            <td>
              <Text size="xs" lineClamp={2} title={job.error_message ?? undefined}>
                {job.error_message}
              </Text>
            </td>
            <td className={`numbers ${table.end} ${table.optional}`}>{job.attempt}</td>
            <td className={`${table.cell} ${table.end}`}>
              {job.completed_at != null && <RelativeTime at={job.completed_at} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
