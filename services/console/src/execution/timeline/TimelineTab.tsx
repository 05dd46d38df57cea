import { Group, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconChartBar, IconChevronRight } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { depthsOf } from '~/graph/layers';
import { edgesOf } from '~/graph/selectors';
import { formatCount, formatDuration } from '~/lib/format';
import { EmptyState } from '~/ui/EmptyState';
import { StatusIcon } from '~/ui/Status';
import { useLive } from '../live/context';
import { isTerminal, statusOf } from '../live/state';
import type { TabProps } from '../tabs';
import { Bar } from './Bar';
import { LEGEND } from './phases';
import { around, rowsOf, ticksOf } from './rows';
import classes from './TimelineTab.module.css';

const ROW_HEIGHT = 30;
const TICK_MS = 250;
/** Pixels that a mark on the axis needs. */
const TICK_WIDTH = 76;

/** Where the run's time went: a waterfall of its node runs. */
export default function TimelineTab({ definition, onNode }: TabProps) {
  const run = useLive(live => live.run);
  const over = isTerminal(run.status);
  const now = useNow(!over);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const depths = useMemo(
    () => depthsOf(definition?.nodes ?? [], definition ? edgesOf(definition) : []),
    [definition],
  );
  const rows = useMemo(
    () => rowsOf(run.nodes.values(), opened, now, depths),
    [run.nodes, opened, now, depths],
  );
  const { ref: axis, width } = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
  });
  const whole = useMemo(() => around(rows), [rows]);
  const begin = Math.min(run.createdAt || now, whole?.from ?? now);
  const end = Math.max(begin + 1, run.completedAt ?? 0, whole?.to ?? 0);
  const length = end - begin;
  if (rows.length === 0) {
    return (
      <EmptyState icon={IconChartBar} title="Nothing has begun yet" compact>
        Each node run gets a bar here, with what it waited for and what it did.
      </EmptyState>
    );
  }
  const toggle = (node: string): void => {
    const next = new Set(opened);
    if (!next.delete(node)) next.add(node);
    setOpened(next);
  };
  const place = (at: number) => `${((at - begin) / length) * 100}%`;
  return (
    <div className={classes.wrap}>
      <Group gap={14} mb="sm">
        {LEGEND.map(({ name, colour }) => (
          <span key={name} className={classes.legend}>
            <span style={{ background: colour }} />
            {name}
          </span>
        ))}
        <Text size="xs" c="dimmed" ml="auto">
          {formatDuration(length)} from acceptance to the last of it
        </Text>
      </Group>
      <div className={classes.axis} aria-hidden>
        <span />
        <div ref={axis}>
          {ticksOf(length, Math.max(2, Math.floor(width / TICK_WIDTH))).map(tick => (
            <span key={tick} style={{ left: `${(tick / length) * 100}%` }}>
              {tick === 0 ? '0' : formatDuration(tick)}
            </span>
          ))}
        </div>
      </div>
      <div
        ref={scroller}
        className={classes.scroller}
        tabIndex={0}
        role="list"
        aria-label="Node runs in the order in which they began"
      >
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map(item => {
            const row = rows[item.index];
            if (!row) return null;
            const state = run.nodes.get(row.node);
            const status = row.run?.status ?? (state ? statusOf(state) : 'pending');
            return (
              <div
                key={row.key}
                role="listitem"
                className={classes.row}
                style={{ transform: `translateY(${item.start}px)`, height: ROW_HEIGHT }}
              >
                <button
                  type="button"
                  className={classes.label}
                  data-item={row.label !== row.node || undefined}
                  aria-expanded={row.items > 0 ? row.open : undefined}
                  onClick={() => (row.items > 0 ? toggle(row.node) : onNode(row.node))}
                >
                  {row.items > 0 ? (
                    <IconChevronRight size={13} data-open={row.open || undefined} aria-hidden />
                  ) : (
                    <StatusIcon status={status} size={13} />
                  )}
                  <span>{row.label}</span>
                  {row.items > 0 && <small>× {formatCount(row.items)}</small>}
                </button>
                <div className={classes.lane}>
                  <Bar
                    row={row}
                    status={status}
                    left={place(row.from)}
                    width={`${(Math.max(0, row.to - row.from) / length) * 100}%`}
                  />
                </div>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** The present, for what is under way. */
function useNow(runs: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!runs) return;
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [runs]);
  return now;
}
