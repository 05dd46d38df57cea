import { Badge, Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { ExecutionSummary } from '~/api/types';
import { formatCount, formatDuration, shortId } from '~/lib/format';
import { RelativeTime } from '~/ui/RelativeTime';
import { StatusBadge } from '~/ui/Status';
import { table } from '~/ui/tableClasses';

interface Props {
  rows: ExecutionSummary[];
  /** Workflows' names by id. */
  names: ReadonlyMap<string, string>;
  leading?: (id: string) => ReactNode;
  /** Without a frame, inside a panel that has one. */
  framed?: boolean;
}

export function ExecutionsTable({ rows, names, leading, framed = true }: Props) {
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
            <th className={table.optional}>Labels</th>
            <th className={`${table.end} ${table.optional}`}>Jobs</th>
            <th className={`${table.end} ${table.optional}`}>Took</th>
            <th className={table.end}>Started</th>
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
                  {nameOf(run, names)}
                </Link>{' '}
                <span className={`mono ${table.cell}`}>{shortId(run.execution_id)}</span>
              </td>
              <td title={run.error_message ?? undefined}>
                <StatusBadge status={run.status} />
              </td>
              <td className={table.optional}>
                <Group gap={4}>
                  {Object.entries(run.labels).map(([name, value]) => (
                    <Badge key={name} variant="default" size="sm" tt="none" fw={500}>
                      {name}: {value}
                    </Badge>
                  ))}
                </Group>
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
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function nameOf(run: ExecutionSummary, names: ReadonlyMap<string, string>): string {
  if (!run.workflow_id) return 'unsaved workflow';
  return names.get(run.workflow_id) ?? 'workflow';
}
