import { Button, Group, Stack, Text } from '@mantine/core';
import { IconDownload, IconFileExport } from '@tabler/icons-react';
import type { Json } from '~/api/types';
import { EmptyState } from '~/ui/EmptyState';
import { isObject } from '~/lib/json';
import { download } from '~/lib/download';
import { useLive } from '../live/context';
import { isTerminal } from '../live/state';
import type { TabProps } from '../tabs';
import { useRunStatus } from '../useRunStatus';
import { Values } from './Values';

/** What the run gave, output by output, and what it was given. */
export default function OutputsTab({ execution }: TabProps) {
  const status = useRunStatus(execution);
  const live = useLive(state => state.run.outputs);
  // The run's page has large values in place; the event only says where they are.
  const outputs = execution.outputs ?? live;
  const nodes = Object.entries(outputs ?? {}).map(([node, value]): [string, [string, Json][]] => [
    node,
    isObject(value)
      ? Object.entries(value).map(([name, part]) => [`${node}.${name}`, part])
      : [[node, value]],
  ]);
  const nothing = nodes.every(([, values]) => values.length === 0);
  return (
    <Stack gap="lg" maw={1200}>
      {nothing && (
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
      {!nothing && (
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
      {nodes.map(([node, values]) => (
        <Values key={node} entries={values} large />
      ))}
      {execution.input && Object.keys(execution.input).length > 0 && (
        <>
          <Text fw={600} size="sm">
            It was given
          </Text>
          <Values entries={Object.entries(execution.input)} />
        </>
      )}
    </Stack>
  );
}
