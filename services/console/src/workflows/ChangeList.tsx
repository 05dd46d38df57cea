import { Code, Group, Stack, Text } from '@mantine/core';
import { preview } from '~/lib/json';
import { Tag } from '~/ui/Tag';
import type { Change } from './changes';

const TONES = { added: 'good', removed: 'bad', changed: 'info' } as const;

export function ChangeList({ changes }: { changes: Change[] }) {
  if (changes.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        They do the same; at most, nodes stand elsewhere on the canvas.
      </Text>
    );
  }
  return (
    <Stack gap="sm">
      {changes.map(({ kind, node, type, fields }) => (
        <div key={`${kind} ${node}`}>
          <Group gap={8}>
            <Tag tone={TONES[kind]}>{kind}</Tag>
            <Text size="sm" fw={560}>
              {node ?? 'the workflow'}
            </Text>
            <Text size="xs" c="dimmed">
              {type}
            </Text>
          </Group>
          {fields.map(({ place, before, after }) => (
            <Text key={place} size="xs" ml={12} mt={3} component="div">
              {place}: {before === undefined ? 'not set' : <Code>{preview(before, 60)}</Code>} →{' '}
              {after === undefined ? 'not set' : <Code>{preview(after, 60)}</Code>}
            </Text>
          ))}
        </div>
      ))}
    </Stack>
  );
}
