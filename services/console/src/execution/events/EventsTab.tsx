import { ActionIcon, Button, Drawer, Group, Menu, SegmentedControl, Text, TextInput } from '@mantine/core';
import { IconDownload, IconListDetails, IconSearch } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { EventEnvelope } from '~/api/types';
import { downloadText, download } from '~/lib/download';
import { EmptyState } from '~/ui/EmptyState';
import { JsonTree } from '~/ui/JsonTree';
import { shortType } from '../live/reducer';
import type { TabProps } from '../tabs';
import { levelOf, logLine, matches } from './describe';
import { EventRows } from './EventRows';
import classes from './EventsTab.module.css';
import { TraceLinks } from './TraceLinks';
import { useEvents } from './useEvents';
import { countOf, emptyTitle, KINDS, type Kind } from './words';

const SHOWS: Record<Kind, (event: EventEnvelope) => boolean> = {
  durable: event => event.seq != null,
  all: () => true,
  problems: event => levelOf(event) !== 'info',
};

/** What happened, event by event: those of the record, and the live ones as they come. */
export default function EventsTab({ execution }: TabProps) {
  const { events, extent, readOn } = useEvents(execution.execution_id);
  const [text, setText] = useState('');
  const [kind, setKind] = useState<Kind>('durable');
  const [open, setOpen] = useState<EventEnvelope | null>(null);
  const shown = useMemo(
    () => events.filter(event => SHOWS[kind](event) && matches(event, text)),
    [events, kind, text],
  );
  const name = `events-${execution.execution_id}`;
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
          aria-label="Which events"
          value={kind}
          onChange={value => setKind(value as Kind)}
          data={[...KINDS]}
        />
        <Text size="xs" c="dimmed">
          {countOf(shown.length, { extent, read: events.length })}
        </Text>
        {(extent === 'cut' || extent === 'failed') && (
          <Button size="compact-xs" variant="default" onClick={readOn}>
            {extent === 'cut' && 'Read on'}
            {extent === 'failed' && (events.length > 0 ? 'The rest did not come: try again' : 'Try again')}
          </Button>
        )}
        <TraceLinks execution={execution} />
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon ml="auto" variant="default" aria-label="Save the events">
              <IconDownload size={15} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => downloadText(`${name}.log`, shown.map(logLine).join(''))}>
              What is shown, as text
            </Menu.Item>
            <Menu.Item onClick={() => download(`${name}.json`, events)}>
              {extent === 'complete' ? 'All of them, as JSON' : 'What was read so far, as JSON'}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
      {shown.length === 0 ? (
        <EmptyState
          icon={IconListDetails}
          title={emptyTitle(kind, text, { extent, read: events.length })}
          compact
        />
      ) : (
        <EventRows events={shown} follow={extent === 'growing'} onOpen={setOpen} />
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
