import { ActionIcon, Drawer, Group, SegmentedControl, Text, TextInput, Tooltip } from '@mantine/core';
import { IconDownload, IconListDetails, IconSearch } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { EventEnvelope } from '~/api/types';
import { formatClock } from '~/lib/format';
import { CopyText } from '~/ui/CopyText';
import { EmptyState } from '~/ui/EmptyState';
import { JsonTree } from '~/ui/JsonTree';
import { download } from '~/workflows/download';
import { shortType } from '../live/reducer';
import type { TabProps } from '../tabs';
import { describe, matches } from './describe';
import classes from './EventsTab.module.css';
import { useEvents } from './useEvents';

const ROW_HEIGHT = 30;

/** What happened, event by event: those of the record, and the live ones as they come. */
export default function EventsTab({ execution }: TabProps) {
  const { events, complete } = useEvents(execution.execution_id);
  const [text, setText] = useState('');
  const [kind, setKind] = useState<'durable' | 'all'>('durable');
  const [open, setOpen] = useState<EventEnvelope | null>(null);
  const shown = useMemo(
    () => events.filter(event => (kind === 'all' || event.seq !== undefined) && matches(event, text)),
    [events, kind, text],
  );
  return (
    <div className={classes.wrap}>
      <Group gap="sm" mb="sm">
        <TextInput
          size="xs"
          w={260}
          leftSection={<IconSearch size={14} />}
          placeholder="Filter by type, node or text"
          aria-label="Filter events"
          value={text}
          onChange={event => setText(event.currentTarget.value)}
        />
        <SegmentedControl
          size="xs"
          value={kind}
          onChange={value => setKind(value as typeof kind)}
          data={[
            { value: 'durable', label: 'Recorded' },
            { value: 'all', label: 'With live ones' },
          ]}
        />
        <Text size="xs" c="dimmed">
          {shown.length} events{complete ? '' : ' so far'}
        </Text>
        {execution.trace_id && (
          <Text size="xs" c="dimmed" component="div">
            trace{' '}
            <CopyText
              text={execution.trace_id}
              shown={execution.trace_id.slice(0, 12)}
              label="the trace id, under which the logs of every role name this run"
            />
          </Text>
        )}
        <Tooltip label="Save the events as JSON">
          <ActionIcon
            ml="auto"
            variant="default"
            aria-label="Save the events as JSON"
            onClick={() => download(`events-${execution.execution_id}.json`, events)}
          >
            <IconDownload size={15} />
          </ActionIcon>
        </Tooltip>
      </Group>
      {shown.length === 0 ? (
        <EmptyState icon={IconListDetails} title={text ? 'No event matches' : 'No event yet'} compact />
      ) : (
        <Rows events={shown} follow={!complete} onOpen={setOpen} />
      )}
      <Drawer
        opened={open !== null}
        onClose={() => setOpen(null)}
        position="right"
        size="lg"
        title={open && shortType(open.type)}
      >
        {open && <JsonTree value={JSON.parse(JSON.stringify(open))} open={2} label="The event" />}
      </Drawer>
    </div>
  );
}

interface RowsProps {
  events: EventEnvelope[];
  follow: boolean;
  onOpen(event: EventEnvelope): void;
}

function Rows({ events, follow, onOpen }: RowsProps) {
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
