import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { nodeRunsPage } from '~/api/queries';
import type { Execution, NodeRun } from '~/api/types';
import { formatCount, formatDuration } from '~/lib/format';
import { Panel } from '~/ui/Panel';
import { StatusIcon } from '~/ui/Status';
import { table } from '~/ui/tableClasses';
import classes from './ComparePage.module.css';
import { compareNodes, type NodeSide } from './compareNodes';

/** The nodes of both runs: how they ended, and who was faster. */
export function NodeTable({ a, b }: { a: Execution; b: Execution }) {
  const one = useNodeRuns(a.execution_id);
  const other = useNodeRuns(b.execution_id);
  if (!one || !other) return <Skeleton height={180} />;
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
          {compareNodes(one, other).map(({ node, a: left, b: right, ratio }) => (
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

function useNodeRuns(id: string): NodeRun[] | undefined {
  return useQuery({
    queryKey: ['executions', id, 'nodes', 'first'],
    queryFn: ({ signal }) => nodeRunsPage(id, null, signal).then(page => page.rows),
  }).data;
}
