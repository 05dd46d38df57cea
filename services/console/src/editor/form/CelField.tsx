import { Code, Group, Text, Textarea } from '@mantine/core';
import { labelOf } from '~/lib/format';
import { blockName } from '~/graph/selectors';
import { useEditor } from '../store';
import type { FieldProps } from './SchemaField';

/** Variables that a block's expressions see beside its inputs. */
const VARIABLES: Record<string, string[]> = { filter: ['item', 'index'], map: ['item', 'index'] };

/** A CEL expression. The server compiles it as it is typed, and points at what it does not understand. */
export function CelField({ node: id, name, place, value, onChange }: FieldProps) {
  const node = useEditor(state => state.nodes.get(id));
  const inputs = Object.keys(node?.inputs ?? {});
  const variables = [...(VARIABLES[blockName(node?.type ?? '')] ?? []), ...inputs];
  return (
    <>
      <Textarea
        size="xs"
        autosize
        minRows={2}
        maxRows={10}
        spellCheck={false}
        aria-label={labelOf(name)}
        placeholder="item.confidence >= 0.5"
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12.5 } }}
        value={typeof value === 'string' ? value : ''}
        onChange={event =>
          onChange(place, event.currentTarget.value === '' ? undefined : event.currentTarget.value)
        }
      />
      {variables.length > 0 && (
        <Group gap={4}>
          <Text size="xs" c="dimmed">
            It sees
          </Text>
          {variables.map(variable => (
            <Code key={variable} fz={11}>
              {variable}
            </Code>
          ))}
        </Group>
      )}
    </>
  );
}
