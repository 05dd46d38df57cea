import { Tooltip } from '@mantine/core';
import { collectionsQuery } from '~/api/queries';
import type { Collection } from '~/api/types';
import { formatCount } from '~/lib/format';
import { Needs } from '~/login/Needs';
import { DeleteButton } from '~/ui/DeleteButton';
import { RelativeTime } from '~/ui/RelativeTime';
import { table } from '~/ui/tableClasses';
import { Tag } from '~/ui/Tag';

export function CollectionsTable({ rows }: { rows: Collection[] }) {
  return (
    <div className={table.wrap}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Name</th>
            <th className={table.end}>Points</th>
            <th className={`${table.end} ${table.optional}`}>Dimensions</th>
            <th className={table.optional}>Compared by</th>
            <th>Searched</th>
            <th className={table.end}>Changed</th>
            <th>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(collection => (
            <tr key={collection.name}>
              <td>
                <b className="mono">{collection.name}</b>
              </td>
              <td className={`${table.cell} ${table.end}`}>{formatCount(collection.points)}</td>
              <td className={`${table.cell} ${table.end} ${table.optional}`}>{collection.dimension}</td>
              <td className={`${table.cell} ${table.optional}`}>{collection.metric}</td>
              <td>
                <How indexed={collection.indexed} />
              </td>
              <td className={`${table.cell} ${table.end}`}>
                <RelativeTime at={collection.updated_at} />
              </td>
              <td className={table.end}>
                <Needs scope="admin">
                  <DeleteButton
                    name={collection.name}
                    path={`/collections/${encodeURIComponent(collection.name)}`}
                    question={`Delete ${collection.name} and its ${formatCount(collection.points)} points? It cannot be undone.`}
                    done={`${collection.name} is gone`}
                    list={collectionsQuery().queryKey}
                  />
                </Needs>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function How({ indexed }: { indexed: boolean }) {
  return indexed ? (
    <Tag tone="good">by an index</Tag>
  ) : (
    <Tooltip label="This Postgres has no pgvector: a search looks at every point">
      <span>
        <Tag>point by point</Tag>
      </span>
    </Tooltip>
  );
}
