import { ActionIcon } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { WorkflowSummary } from '~/api/types';
import { lazyPart } from '~/ui/lazyPart';
import { RelativeTime } from '~/ui/RelativeTime';
import { table } from '~/ui/tableClasses';

const RowMenu = lazyPart(
  () => import('./RowMenu'),
  module => module.default,
  ({ workflow }) => <MenuButton workflow={workflow} />,
);

export function WorkflowsTable({ rows }: { rows: WorkflowSummary[] }) {
  return (
    <div className={table.wrap}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Name</th>
            <th className={table.optional}>Version</th>
            <th className={table.end}>Changed</th>
            <th>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(workflow => (
            <tr key={workflow.id} data-link>
              <td>
                <Link to={`/workflows/${workflow.id}`} className={table.main}>
                  {workflow.name}
                </Link>
              </td>
              <td className={`numbers ${table.cell} ${table.optional}`}>v{workflow.version}</td>
              <td className={`${table.cell} ${table.end}`}>
                <RelativeTime at={workflow.updated_at} />
              </td>
              <td className={table.end}>
                <span className={table.above}>
                  <Actions workflow={workflow} />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The menu comes when it is first asked for: most visits need none, and its code is a tenth of what a first one loads. */
function Actions({ workflow }: { workflow: WorkflowSummary }) {
  const [asked, setAsked] = useState(false);
  if (!asked) return <MenuButton workflow={workflow} onClick={() => setAsked(true)} />;
  return <RowMenu workflow={workflow} onGiveUp={() => setAsked(false)} />;
}

function MenuButton({ workflow, onClick }: { workflow: WorkflowSummary; onClick?(): void }) {
  return (
    <ActionIcon aria-label={`What to do with ${workflow.name}`} aria-haspopup="menu" onClick={onClick}>
      <IconDots size={16} />
    </ActionIcon>
  );
}
