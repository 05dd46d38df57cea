import { Skeleton, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Execution } from '~/api/types';
import { formatCount, formatDuration } from '~/lib/format';
import { Panel } from '~/ui/Panel';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { StatusIcon } from '~/ui/Status';
import { table } from '~/ui/tableClasses';
import classes from './ComparePage.module.css';
import { compareNodes, type NodeSide } from './compareNodes';
import { readNodeRuns } from './readNodeRuns';

/** The nodes of both runs: how they ended, and who was faster. */
export function NodeTable({ a, b }: { a: Execution; b: Execution }) {
  const one = useNodeRuns(a.execution_id);
  const other = useNodeRuns(b.execution_id);
  const error = one.error ?? other.error;
  if (error && !(one.data && other.data)) {
    const retry = () => void Promise.all([one.refetch(), other.refetch()]);
    return <ProblemNotice error={error} onRetry={retry} />;
  }
  if (!one.data || !other.data) return <Skeleton height={180} />;
  return (
    <Panel title="Node by node" flush>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Node</th>
            <th>A</th>
            <th>B</th>
            <th className={table.end}>B against A</th>
          </tr>
        </thead>
        <tbody>
          {compareNodes(one.data.runs, other.data.runs).map(({ node, a: left, b: right, ratio }) => (
            <tr key={node}>
              <td>{node}</td>
              <td>
                <Side side={left} />
              </td>
              <td>
                <Side side={right} />
              </td>
              <td className={`numbers ${table.end}`}>
                {ratio !== null && (
                  <span className={ratio > 1.1 ? classes.slower : ratio < 0.9 ? classes.faster : undefined}>
                    {ratio.toFixed(2)} ×
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {[one.data, other.data].map(
        ({ runs, cut }, at) =>
          cut && (
            <Text key={at} size="xs" c="dimmed" p="sm">
              Of {at === 0 ? 'A' : 'B'} the first {formatCount(runs.length)} node runs are compared.
            </Text>
          ),
      )}
    </Panel>
  );
}

function Side({ side }: { side: NodeSide | null }) {
  if (!side) return <span className={table.cell}>not there</span>;
  return (
    <span
      className={`numbers ${table.cell}`}
      style={{ display: 'inline-flex', gap: 7, alignItems: 'center' }}
    >
      <StatusIcon status={side.status} size={14} />
      {formatDuration(side.ms)}
      {side.runs > 1 && ` over ${formatCount(side.runs)}`}
      {side.cached && ' reused'}
    </span>
  );
}

function useNodeRuns(id: string) {
  return useQuery({
    queryKey: ['executions', id, 'nodes', 'compared'],
    queryFn: ({ signal }) => readNodeRuns(id, signal),
  });
}
