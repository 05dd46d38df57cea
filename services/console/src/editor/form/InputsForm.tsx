import { Stack } from '@mantine/core';
import type { Block, Json, NodeDefinition } from '~/api/types';
import type { InPort } from '~/graph/ports';
import { entryOf, sameJson } from '~/lib/json';
import { faultsAt, type NodeFault } from '../document/faults';
import { setAt } from '../document/edit';
import { useEditorStore } from '../store';
import { readConstant, writeConstant } from './constant';
import { FieldFrame } from './FieldFrame';
import { FurtherName, NewInput } from './FurtherInput';
import { SourceInput } from './SourceInput';
import { useTyped } from './useTyped';

interface Props {
  node: NodeDefinition;
  block: Block | undefined;
  ports: readonly InPort[];
  faults: readonly NodeFault[] | undefined;
}

/** The node's wires as fields: what the canvas does with a mouse, a keyboard does here. */
export function InputsForm({ node, block, ports, faults }: Props) {
  const fixed = ports.filter(port => !port.further).length;
  return (
    <Stack gap="sm">
      {ports.map((port, index) => (
        <FieldFrame
          // A further one not by its name, which may be what is being written.
          key={port.further ? `further/${index - fixed}` : `own/${port.name}`}
          name={port.name}
          help={`${port.kinds.join(' or ')}. ${port.help}`}
          required={port.required}
          faults={faultsAt(faults, port.place)}
          label={block && port.further ? <FurtherName node={node} name={port.name} /> : undefined}
        >
          <InputField node={node.id} port={port} value={entryOf(node.inputs ?? {}, port.name)} />
        </FieldFrame>
      ))}
      {block?.further_inputs && <NewInput node={node} kind={block.further_inputs} />}
    </Stack>
  );
}

function InputField({ node, port, value }: { node: string; port: InPort; value: Json | undefined }) {
  const store = useEditorStore();
  const field = useTyped(value === undefined ? '' : writeConstant(value), text => {
    const next = text === '' ? undefined : readConstant(text);
    if (sameJson(next, value)) return;
    store
      .getState()
      .change(before => setAt(before, node, port.place, next), `${node}/${port.place.join('/')}`);
  });
  return (
    <SourceInput
      node={node}
      kinds={port.kinds}
      label={`Input ${port.name}`}
      placeholder={port.required ? 'Choose where it comes from' : 'not wired'}
      text={field.text}
      onType={field.type}
      onCommit={field.commit}
      onForget={field.forget}
    />
  );
}
