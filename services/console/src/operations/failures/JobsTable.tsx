import { Anchor, Text } from '@mantine/core';
import { Link } from 'react-router';
import type { Job } from '~/api/types';
import { RelativeTime } from '~/ui/RelativeTime';
import { table } from '~/ui/tableClasses';

/** The jobs that failed for good, each with its node and its cause. */
export function JobsTable({ jobs }: { jobs: Job[] }) {
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Node</th>
          <th>Kind</th>
          <th>Cause</th>
          <th className={`${table.end} ${table.optional}`}>Attempt</th>
          <th className={`${table.end} ${table.optional}`}>Ended</th>
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
            <td className={`${table.cell} ${table.end} ${table.optional}`}>
              {job.completed_at != null && <RelativeTime at={job.completed_at} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
