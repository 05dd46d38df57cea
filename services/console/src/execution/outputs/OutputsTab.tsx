import { Button, Group, Stack, Text } from '@mantine/core';
import { IconDownload, IconFileExport } from '@tabler/icons-react';
import type { Json } from '~/api/types';
import { EmptyState } from '~/ui/EmptyState';
import { Panel } from '~/ui/Panel';
import { isObject } from '~/lib/json';
import { download } from '~/lib/download';
import { useLive } from '../live/context';
import { isTerminal } from '../live/state';
import type { TabProps } from '../tabs';
import { PortValue } from './PortValue';

/** What the run gave, output by output, and what it was given. */
export default function OutputsTab({ execution }: TabProps) {
  const status = useLive(live => live.run.status);
  const live = useLive(state => state.run.outputs);
  // The run's page has large values in place; the event only says where they are.
  const outputs = execution.outputs ?? live;
  const entries = Object.entries(outputs ?? {}).flatMap(([node, value]): [string, Json][] =>
    isObject(value)
      ? Object.entries(value).map(([name, part]) => [`${node}.${name}`, part])
      : [[node, value]],
  );
  return (
    <Stack gap="lg" maw={1200}>
      {entries.length === 0 && (
        <EmptyState
          icon={IconFileExport}
          title={isTerminal(status) ? 'The run gave nothing' : 'Nothing yet'}
          compact
        >
          {isTerminal(status)
            ? 'Only what is wired to a json_output is an output. The graph shows what each node gave.'
            : 'The outputs are there when the run has ended.'}
        </EmptyState>
      )}
      {entries.length > 0 && (
        <Group justify="flex-end">
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} />}
            onClick={() => download(`outputs-${execution.execution_id}.json`, outputs)}
          >
            Outputs as JSON
          </Button>
        </Group>
      )}
      {entries.map(([name, value]) => (
        <Panel key={name} title={name}>
          <PortValue name={name} value={value} large />
        </Panel>
      ))}
      {execution.input && Object.keys(execution.input).length > 0 && (
        <>
          <Text fw={600} size="sm">
            It was given
          </Text>
          {Object.entries(execution.input).map(([name, value]) => (
            <Panel key={name} title={name}>
              <PortValue name={name} value={value} />
            </Panel>
          ))}
        </>
      )}
    </Stack>
  );
}
