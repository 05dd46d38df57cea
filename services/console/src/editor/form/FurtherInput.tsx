import { ActionIcon, Group, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useEffect, useEffectEvent, useMemo, useState } from 'react';
import type { NodeDefinition } from '~/api/types';
import { parseSelector } from '~/graph/selectors';
import { freeId, inputName, isNodeId, renameInput, setAt } from '../document/edit';
import { useEditorStore } from '../store';
import { readConstant } from './constant';
import { SourceInput } from './SourceInput';
import { useTyped } from './useTyped';

/** Why an input of `node` cannot be called `name`. */
function faultOf(node: NodeDefinition, name: string): string | null {
  if (!isNodeId(name)) return 'Letters, digits, _ and -, beginning with a letter';
  return Object.hasOwn(node.inputs ?? {}, name) ? 'Another input has this name' : null;
}

/** The name of an input that the workflow names itself. */
export function FurtherName({ node, name }: { node: NodeDefinition; name: string }) {
  const store = useEditorStore();
  const { change } = store.getState();
  const field = useTyped(name, text => {
    if (faultOf(node, text) === null) change(before => renameInput(before, node.id, name, text));
  });
  return (
    <Group gap={4} wrap="nowrap" flex={1} align="start">
      <TextInput
        size="xs"
        variant="unstyled"
        flex={1}
        aria-label={`Name of input ${name}`}
        value={field.text}
        error={field.text === name ? null : faultOf(node, field.text)}
        onChange={event => field.type(event.currentTarget.value)}
        onBlur={() => field.commit()}
        onKeyDown={event => {
          if (event.key === 'Enter') field.commit();
          if (event.key === 'Escape') field.forget();
        }}
        styles={{ input: { height: 22, minHeight: 22, fontWeight: 500 } }}
      />
      <Tooltip label="Take it away">
        <ActionIcon
          size="xs"
          mt={3}
          aria-label={`Remove input ${name}`}
          onClick={() => change(before => setAt(before, node.id, ['inputs', name], undefined))}
        >
          <IconX size={13} />
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}

/** A row that makes a further input: its name, and where its value comes from. Without a name it is called after its source. */
export function NewInput({ node, kind }: { node: NodeDefinition; kind: string }) {
  const store = useEditorStore();
  const kinds = useMemo(() => [kind], [kind]);
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const fault = name === '' ? null : faultOf(node, name);
  const add = (source = text): void => {
    if (source === '' || fault !== null) return;
    const place = ['inputs', name === '' ? nameFor(node, source) : name];
    store.getState().change(before => setAt(before, node.id, place, readConstant(source)));
    setName('');
    setText('');
  };
  const settle = useEffectEvent(() => add());
  useEffect(() => store.getState().onSettle(() => settle()), [store]);
  return (
    <Stack gap={4} role="group" aria-label="Add an input">
      <Text size="xs" fw={500}>
        Add an input
      </Text>
      <Group gap={6} wrap="nowrap" align="start">
        <TextInput
          size="xs"
          w={104}
          aria-label="Name of the new input"
          placeholder="name"
          value={name}
          error={fault}
          onChange={event => setName(event.currentTarget.value)}
        />
        <div style={{ flex: 1, minWidth: 0 }}>
          <SourceInput
            node={node.id}
            kinds={kinds}
            label="Source of the new input"
            placeholder="where it comes from"
            text={text}
            onType={setText}
            onCommit={add}
            onForget={() => setText('')}
          />
        </div>
      </Group>
    </Stack>
  );
}

function nameFor(node: NodeDefinition, source: string): string {
  const selector = parseSelector(source);
  if (selector?.kind === 'node') return inputName(node, selector);
  if (selector?.kind === 'input') return inputName(node, { node: selector.node, port: 'value' });
  return freeId(Object.keys(node.inputs ?? {}), 'value');
}
