import { Anchor } from '@mantine/core';
import { Link } from 'react-router';
import type { ChangeRecord } from '~/api/types';
import { words } from '~/lib/format';
import { RelativeTime } from '~/ui/RelativeTime';
import { table } from '~/ui/tableClasses';
import { Tag } from '~/ui/Tag';

/** Where what was changed is shown, if it has a page of its own. */
function pageOf(target: string): string | null {
  if (/^(executions|workflows)\/[0-9a-f-]{36}$/.test(target)) return `/${target}`;
  const model = /^models\/([^/]+)/.exec(target)?.[1];
  if (model) return `/models?model=${model}`;
  return target.startsWith('collections/') ? '/collections' : null;
}

export function ChangesTable({ rows }: { rows: ChangeRecord[] }) {
  return (
    <div className={table.wrap}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>When</th>
            <th>Who</th>
            <th>What</th>
            <th>Where</th>
            <th className={table.end}>Answer</th>
            <th className={table.optional}>From</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(change => (
            <tr key={change.id}>
              <td className={table.cell}>
                <RelativeTime at={change.at} />
              </td>
              <td>{change.actor ?? <span className={table.cell}>without a key</span>}</td>
              <td title={change.action}>{words(change.action)}</td>
              <td className="mono">
                <Target target={change.target} />
              </td>
              <td className={table.end}>
                <Answer status={change.status} />
              </td>
              <td className={`mono ${table.cell} ${table.optional}`} title={change.request_id ?? undefined}>
                {change.forwarded_for ?? change.address}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Target({ target }: { target: string }) {
  const page = pageOf(target);
  if (page === null) return target;
  return (
    <Anchor component={Link} to={page} inherit>
      {target}
    </Anchor>
  );
}

function Answer({ status }: { status: ChangeRecord['status'] }) {
  if (status == null) return <Tag tone="warn">not waited for</Tag>;
  return <Tag tone={status < 400 ? 'plain' : 'bad'}>{status}</Tag>;
}
