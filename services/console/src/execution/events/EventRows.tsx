import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import type { EventEnvelope } from '~/api/types';
import { formatClock } from '~/lib/format';
import { shortType } from '../live/reducer';
import { describe, levelOf } from './describe';
import classes from './EventsTab.module.css';

const ROW_HEIGHT = 30;

interface Props {
  events: EventEnvelope[];
  follow: boolean;
  onOpen(event: EventEnvelope): void;
}

/** Events in a list that follows its end while the run goes on; only those in sight are drawn. */
export function EventRows({ events, follow, onOpen }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  const atEnd = useRef(true);
  useEffect(() => {
    if (follow && atEnd.current && events.length > 0) virtual.scrollToIndex(events.length - 1);
  }, [follow, events.length, virtual]);
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      tabIndex={0}
      role="log"
      aria-label="Events"
      onScroll={({ currentTarget: box }) => {
        atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < ROW_HEIGHT * 2;
      }}
    >
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map(item => {
          const event = events[item.index];
          if (!event) return null;
          const type = shortType(event.type);
          return (
            <button
              key={item.key}
              type="button"
              className={classes.row}
              data-level={levelOf(event)}
              style={{ transform: `translateY(${item.start}px)`, height: ROW_HEIGHT }}
              onClick={() => onOpen(event)}
            >
              <span className={`numbers ${classes.faint}`}>{formatClock(Date.parse(event.time))}</span>
              <span className={`numbers ${classes.faint} ${classes.seq}`}>{event.seq ?? 'live'}</span>
              <span className={classes.type} data-end={type.split('.').pop()}>
                {type}
              </span>
              <span className={classes.node}>
                {event.nodeid}
                {event.path}
              </span>
              <span className={classes.detail}>{describe(event)}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}
