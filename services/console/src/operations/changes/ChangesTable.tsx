import { Anchor } from '@mantine/core';
import { Link } from 'react-router';
import type { ChangeRecord } from '~/api/types';
import { shortId, words } from '~/lib/format';
import { RelativeTime } from '~/ui/RelativeTime';
import { table } from '~/ui/tableClasses';
import { Tag } from '~/ui/Tag';
import classes from './ChangesTable.module.css';

const ID = /[0-9a-f]{8}-[0-9a-f-]{27}/g;

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
              <td>{change.actor ?? <span className={classes.nobody}>without a key</span>}</td>
              <td title={change.action}>{words(change.action)}</td>
              <td className={`mono ${classes.where}`}>
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
  const text = (
    <>
      <span className={classes.whole}>{target}</span>
      <span className={classes.short} title={target}>
        {target.replace(ID, shortId)}
      </span>
    </>
  );
  if (page === null) return text;
  return (
    <Anchor component={Link} to={page} inherit>
      {text}
    </Anchor>
  );
}

function Answer({ status }: { status: ChangeRecord['status'] }) {
  if (status == null) return <Tag tone="warn">not waited for</Tag>;
  return <Tag tone={status < 400 ? 'plain' : 'bad'}>{status}</Tag>;
}
