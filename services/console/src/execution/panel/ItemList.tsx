import { SegmentedControl, Text } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import { formatDuration } from '~/lib/format';
import { firstImage, summarise } from '~/lib/values';
import { StatusIcon } from '~/ui/Status';
import { Thumbnail } from '~/ui/Thumbnail';
import { isTerminal, type NodeState } from '../live/state';
import { tookMs } from '../took';
import { byPath } from './byPath';
import classes from './ItemList.module.css';

const ROW_HEIGHT = 40;

const FILTERS = { all: () => true, active: isActive, failed: hasFailed } as const;
type Filter = keyof typeof FILTERS;

interface Props {
  state: NodeState;
  selected: string | null;
  onSelect(path: string): void;
}

/** The items of a loop at one node; only those in sight are drawn, so thousands do no harm. */
export function ItemList({ state, selected, onSelect }: Props) {
  const [filter, setFilter] = useState<Filter>('all');
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(
    () => [...state.runs].filter(([, run]) => FILTERS[filter](run.status)).sort(([a], [b]) => byPath(a, b)),
    // The map is changed in place; a new `state` says that it was.
    [state, filter],
  );
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  });
  return (
    <div className={classes.wrap}>
      <SegmentedControl
        size="xs"
        m="xs"
        value={filter}
        onChange={value => setFilter(value as Filter)}
        data={[
          { value: 'all', label: 'All' },
          { value: 'active', label: 'Under way' },
          { value: 'failed', label: 'Failed' },
        ]}
      />
      <div ref={scroller} className={classes.scroller} tabIndex={0} role="listbox" aria-label="Items">
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map(item => {
            const row = rows[item.index];
            if (!row) return null;
            const [path, run] = row;
            const image = firstImage(run.outputs);
            const took = tookMs(run);
            return (
              <button
                key={path}
                type="button"
                role="option"
                aria-selected={path === selected}
                className={classes.row}
                style={{ transform: `translateY(${item.start}px)`, height: ROW_HEIGHT }}
                onClick={() => onSelect(path)}
              >
                <StatusIcon status={run.status} size={14} />
                <span className="mono">{path}</span>
                <span className={classes.summary}>{run.error?.message ?? summarise(run.outputs)}</span>
                {image && (
                  <span className={classes.thumbnail}>
                    <Thumbnail image={image} height={32} />
                  </span>
                )}
                <span className={`numbers ${classes.time}`}>{took === null ? '' : formatDuration(took)}</span>
              </button>
            );
          })}
        </div>
        {rows.length === 0 && (
          <Text size="sm" c="dimmed" p="md">
            No item is in that state.
          </Text>
        )}
      </div>
    </div>
  );
}

function isActive(status: Parameters<typeof isTerminal>[0]): boolean {
  return !isTerminal(status);
}

function hasFailed(status: Parameters<typeof isTerminal>[0]): boolean {
  return status === 'failed' || status === 'timed_out';
}
