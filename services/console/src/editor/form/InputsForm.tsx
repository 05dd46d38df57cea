import { Autocomplete, Stack } from '@mantine/core';
import { useMemo } from 'react';
import type { Json, NodeDefinition } from '~/api/types';
import type { InPort } from '~/graph/ports';
import { isSelector } from '~/graph/selectors';
import { faultsAt, type NodeFault } from '../document/faults';
import { setAt } from '../document/edit';
import { useEditorStore } from '../store';
import { useSources } from './BoundValue';
import { FieldFrame } from './FieldFrame';

interface Props {
  node: NodeDefinition;
  ports: readonly InPort[];
  faults: readonly NodeFault[] | undefined;
}

/** The node's wires as fields: what the canvas does with a mouse, a keyboard does here. */
export function InputsForm({ node, ports, faults }: Props) {
  return (
    <Stack gap="sm">
      {ports.map(port => (
        <FieldFrame
          key={port.name}
          name={port.name}
          help={`${port.kinds.join(' or ')}. ${port.help}`}
          required={port.required}
          faults={faultsAt(faults, port.place)}
        >
          <InputField node={node.id} port={port} value={node.inputs?.[port.name]} />
        </FieldFrame>
      ))}
    </Stack>
  );
}

function InputField({ node, port, value }: { node: string; port: InPort; value: Json | undefined }) {
  const store = useEditorStore();
  const kinds = useMemo(() => port.kinds, [port]);
  const sources = useSources(node, kinds);
  const text = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  const set = (next: string): void =>
    store
      .getState()
      .change(
        before => setAt(before, node, port.place, next === '' ? undefined : readValue(next)),
        `${node}/${port.place.join('/')}`,
      );
  return (
    <Autocomplete
      size="xs"
      aria-label={`Input ${port.name}`}
      placeholder={port.required ? 'Choose where it comes from' : 'not wired'}
      data={sources.map(source => source.selector)}
      value={text}
      onChange={set}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      comboboxProps={{ withinPortal: true }}
    />
  );
}

/** A selector or a text as it is; numbers, lists and objects as JSON. */
function readValue(text: string): Json {
  if (isSelector(text) || !/^[[{\d\-"tfn]/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
