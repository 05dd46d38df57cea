import { ActionIcon, Group, ScrollArea, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { IconCopy, IconTrash } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Json } from '~/api/types';
import { CategoryIcon } from '~/graph/CategoryIcon';
import { blockOf } from '~/graph/ports';
import { copyNodes } from '../document/clip';
import { isNodeId, removeNodes, renameNode, setAt } from '../document/edit';
import { faultsElsewhere } from '../document/faults';
import { policiesOf } from '../document/policies';
import { insert } from '../insert';
import { useEditor, useEditorStore } from '../store';
import { Marked } from '~/ui/Marked';
import { FieldFrame } from './FieldFrame';
import { InputsForm } from './InputsForm';
import classes from './NodeForm.module.css';
import { PolicyForm } from './PolicyForm';
import { SchemaField } from './SchemaField';
import { useTyped } from './useTyped';

/** Everything about the node that is selected. */
export function NodeForm({ id }: { id: string }) {
  const store = useEditorStore();
  const node = useEditor(state => state.nodes.get(id));
  const ports = useEditor(state => state.ports.get(id));
  const faults = useEditor(state => state.faults.byNode.get(id));
  const block = useEditor(state => (node ? blockOf(state.catalogue, node) : undefined));
  if (!node) return null;
  const { change } = store.getState();
  const set = (place: readonly string[], value: Json | undefined): void =>
    change(before => setAt(before, id, place, value), `${id}/${place.join('/')}`);
  const fields = Object.entries(block?.config.properties ?? {});
  const policies = block ? policiesOf(block, node) : [];
  // What no field below shows, such as a setting that there is not.
  const elsewhere = faultsElsewhere(faults, [
    ...(ports?.inputs ?? []).map(port => port.place),
    ...fields.map(([name]) => ['config', name]),
    ...policies.map(policy => [policy]),
  ]);
  return (
    <ScrollArea className={classes.scroll} type="hover" viewportProps={{ tabIndex: 0 }}>
      <Stack gap="md" p="md">
        <Group gap={8} wrap="nowrap">
          <CategoryIcon category={block?.category ?? 'logic'} type={block?.type} size={18} />
          <Text fw={600} size="sm" flex={1}>
            {block?.title ?? node.type}
          </Text>
          <Tooltip label="Duplicate">
            <ActionIcon
              aria-label="Duplicate the node"
              onClick={() => insert(store, copyNodes(store.getState().history.present, new Set([id])))}
            >
              <IconCopy size={15} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label="Remove">
            <ActionIcon
              color="red"
              aria-label="Remove the node"
              onClick={() => change(before => removeNodes(before, new Set([id])))}
            >
              <IconTrash size={15} />
            </ActionIcon>
          </Tooltip>
        </Group>
        {block && (
          <Text size="xs" c="dimmed">
            <Marked text={block.help} />
          </Text>
        )}
        <NameField id={id} />
        {elsewhere.length > 0 && (
          <FieldFrame name="The node" faults={elsewhere}>
            {null}
          </FieldFrame>
        )}
        {ports && (ports.inputs.length > 0 || block?.further_inputs) && (
          <Section title="Inputs">
            <InputsForm node={node} block={block} ports={ports.inputs} faults={faults} />
          </Section>
        )}
        {fields.length > 0 && (
          <Section title="Settings">
            <Stack gap="md">
              {fields.map(([name, schema]) => (
                <SchemaField
                  key={name}
                  node={id}
                  name={name}
                  place={['config', name]}
                  schema={schema}
                  value={node.config?.[name]}
                  required={block?.config.required?.includes(name) ?? false}
                  faults={faults}
                  onChange={set}
                />
              ))}
            </Stack>
          </Section>
        )}
        {policies.length > 0 && (
          <Section title="When it fails, and where it runs">
            <PolicyForm node={node} policies={policies} faults={faults} />
          </Section>
        )}
      </Stack>
    </ScrollArea>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3 className={classes.section}>{title}</h3>
      {children}
    </section>
  );
}

/** The node's name: every wire to it follows. */
function NameField({ id }: { id: string }) {
  const store = useEditorStore();
  const taken = useEditor(state => state.nodes);
  const faultOf = (name: string): string | null => {
    if (name === id) return null;
    if (!isNodeId(name)) return 'Letters, digits, _ and -, beginning with a letter';
    return taken.has(name) ? 'Another node has this name' : null;
  };
  const field = useTyped(id, name => {
    if (faultOf(name) !== null) return;
    store.getState().change(before => renameNode(before, id, name));
    store.getState().select([name]);
  });
  return (
    <TextInput
      size="xs"
      label="Name"
      value={field.text}
      error={faultOf(field.text)}
      onChange={event => field.type(event.currentTarget.value)}
      onBlur={() => field.commit()}
      onKeyDown={event => {
        if (event.key === 'Enter') field.commit();
        if (event.key === 'Escape') field.forget();
      }}
    />
  );
}
