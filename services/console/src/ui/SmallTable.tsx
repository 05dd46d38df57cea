import type { ReactNode } from 'react';
import { table } from './tableClasses';

/** A table of figures: the first column is what they are of, the others are numbers. */
export function SmallTable({ head, rows }: { head: string[]; rows: ReactNode[][] }) {
  return (
    <div style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-label={head.join(', ')}>
      <table className={table.table}>
        <thead>
          <tr>
            {head.map((name, index) => (
              <th key={name} className={index > 0 ? table.end : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell, index) => (
                <td
                  key={head[index]}
                  className={index > 0 ? `numbers ${table.cell} ${table.end}` : undefined}
                >
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
