import { ActionIcon, Drawer, Group, Menu, SegmentedControl, Text, TextInput } from '@mantine/core';
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

const KINDS = [
  { value: 'durable', label: 'Recorded' },
  { value: 'all', label: 'With live ones' },
  { value: 'problems', label: 'Problems' },
] as const;

type Kind = (typeof KINDS)[number]['value'];

const SHOWS: Record<Kind, (event: EventEnvelope) => boolean> = {
  durable: event => event.seq != null,
  all: () => true,
  problems: event => levelOf(event) !== 'info',
};

/** What happened, event by event: those of the record, and the live ones as they come. */
export default function EventsTab({ execution }: TabProps) {
  const { events, complete } = useEvents(execution.execution_id);
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
          {shown.length} events{complete ? '' : ' so far'}
        </Text>
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
            <Menu.Item onClick={() => download(`${name}.json`, events)}>All of them, as JSON</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
      {shown.length === 0 ? (
        <EmptyState icon={IconListDetails} title={emptyTitle(kind, text)} compact />
      ) : (
        <EventRows events={shown} follow={!complete} onOpen={setOpen} />
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

function emptyTitle(kind: Kind, text: string): string {
  if (text) return 'No event matches';
  return kind === 'problems' ? 'Nothing went wrong' : 'No event yet';
}
