import { Badge, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { ExecutionSummary } from '~/api/types';
import { formatCount, formatDuration, shortId } from '~/lib/format';
import { RelativeTime } from '~/ui/RelativeTime';
import { StatusBadge } from '~/ui/Status';
import { table } from '~/ui/tableClasses';

interface Props {
  rows: ExecutionSummary[];
  leading?: (id: string) => ReactNode;
  trailing?: (run: ExecutionSummary) => ReactNode;
  /** With why each failed, in place of its labels. */
  reasons?: boolean;
  /** Without a frame, inside a panel that has one. */
  framed?: boolean;
}

export function ExecutionsTable({ rows, leading, trailing, reasons = false, framed = true }: Props) {
  return (
    <div className={framed ? table.wrap : undefined}>
      <table className={table.table}>
        <thead>
          <tr>
            {leading && (
              <th>
                <span className="visually-hidden">Choose</span>
              </th>
            )}
            <th>Run</th>
            <th>Status</th>
            <th className={table.optional}>{reasons ? 'Reason' : 'Labels'}</th>
            <th className={`${table.end} ${table.optional}`}>Jobs</th>
            <th className={`${table.end} ${table.optional}`}>Took</th>
            <th className={table.end}>Started</th>
            {trailing && (
              <th>
                <span className="visually-hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map(run => (
            <tr key={run.execution_id} data-link>
              {leading && (
                <td>
                  <span className={table.above}>{leading(run.execution_id)}</span>
                </td>
              )}
              <td>
                <Link to={`/executions/${run.execution_id}`} className={table.main}>
                  {nameOf(run)}
                </Link>{' '}
                <span className={`mono ${table.cell}`}>{shortId(run.execution_id)}</span>
                {!run.workflow_id && run.workflow_name && <span className={table.cell}> unsaved</span>}
              </td>
              <td title={run.error_message ?? undefined}>
                <StatusBadge status={run.status} />
              </td>
              <td className={table.optional}>
                {reasons ? (
                  <Text size="xs" lineClamp={2} title={run.error_message ?? undefined}>
                    {run.error_message}
                  </Text>
                ) : (
                  <Labels labels={run.labels} />
                )}
              </td>
              <td className={`numbers ${table.cell} ${table.end} ${table.optional}`}>
                {formatCount(run.inference_jobs_completed + run.inference_jobs_failed)}
              </td>
              <td className={`numbers ${table.cell} ${table.end} ${table.optional}`}>
                {formatDuration(run.duration_ms)}
              </td>
              <td className={`${table.cell} ${table.end}`}>
                <RelativeTime at={run.created_at} />
              </td>
              {trailing && (
                <td className={table.end}>
                  <span className={table.above}>{trailing(run)}</span>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Labels({ labels }: { labels: ExecutionSummary['labels'] }) {
  return (
    <Group gap={4}>
      {Object.entries(labels).map(([name, value]) => (
        <Badge key={name} variant="default" size="sm" tt="none" fw={500}>
          {name}: {value}
        </Badge>
      ))}
    </Group>
  );
}

function nameOf(run: ExecutionSummary): string {
  return run.workflow_name ?? (run.workflow_id ? 'workflow' : 'unsaved workflow');
}
