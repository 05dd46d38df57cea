import { Button, Group, NumberInput, ScrollArea, Stack, Text } from '@mantine/core';
import { IconCircleCheck, IconCopy, IconTrash } from '@tabler/icons-react';
import { useReactFlow } from '@xyflow/react';
import { counted } from '../counted';
import { copyNodes } from '../document/clip';
import { removeNodes } from '../document/edit';
import type { NodeFault } from '../document/faults';
import { insert } from '../insert';
import { useEditor, useEditorStore } from '../store';
import classes from './WorkflowForm.module.css';

/** What holds for the workflow as a whole, and what is wrong anywhere in it. */
export function WorkflowForm() {
  const store = useEditorStore();
  const definition = useEditor(state => state.history.present);
  const faults = useEditor(state => state.faults);
  const verdict = useEditor(state => state.verdict);
  const selection = useEditor(state => state.selection);
  const flow = useReactFlow();
  const set = (field: string, value: number | undefined): void =>
    store.getState().change(before => {
      const next = { ...before, [field]: value };
      if (value === undefined) delete (next as Record<string, unknown>)[field];
      return next;
    }, field);
  const told =
    verdict.count > 0
      ? counted(verdict.count, 'problem')
      : verdict.warnings > 0
        ? counted(verdict.warnings, 'warning')
        : null;
  const number = (value: unknown) => (typeof value === 'number' ? value : '');
  const open = (id: string): void => {
    store.getState().select([id]);
    void flow.fitView({ nodes: [{ id }], maxZoom: 1, duration: 250, padding: 0.6 });
  };
  return (
    <ScrollArea className={classes.scroll} type="hover" viewportProps={{ tabIndex: 0 }}>
      <Stack gap="md" p="md">
        <Text fw={600} size="sm">
          The workflow
        </Text>
        {selection.size > 1 ? (
          <Selected ids={selection} />
        ) : (
          <Text size="xs" c="dimmed">
            {definition.nodes.length} nodes. Select one to see its settings.
          </Text>
        )}
        <NumberInput
          size="xs"
          label="A run may take, ms"
          placeholder="no limit"
          min={1}
          value={number(definition.timeout_ms)}
          onChange={value => set('timeout_ms', typeof value === 'number' ? value : undefined)}
        />
        <NumberInput
          size="xs"
          label="Node runs at once"
          placeholder="no limit"
          min={1}
          value={number(definition.max_concurrency)}
          onChange={value => set('max_concurrency', typeof value === 'number' ? value : undefined)}
        />
        {verdict.state === 'valid' && (
          <Text size="sm" className={classes.good}>
            <IconCircleCheck size={16} aria-hidden /> Valid, and ready to run.
          </Text>
        )}
        {told !== null && (
          <section aria-label="Problems">
            <Text fw={600} size="xs" mb={6}>
              {told}
            </Text>
            <Stack gap={6}>
              {faults.rest.map(fault => (
                <div
                  key={`${fault.pointer}${fault.code}`}
                  className={classes.fault}
                  data-mild={fault.mild || undefined}
                >
                  {fault.message}
                  {fault.hint && <small>→ {fault.hint}</small>}
                </div>
              ))}
              {[...faults.byNode].flatMap(([id, list]) =>
                list.map(fault => (
                  <FaultRow key={`${id}${fault.pointer}${fault.code}`} id={id} fault={fault} onOpen={open} />
                )),
              )}
            </Stack>
          </section>
        )}
      </Stack>
    </ScrollArea>
  );
}

/** What can be done with several nodes at once. */
function Selected({ ids }: { ids: ReadonlySet<string> }) {
  const store = useEditorStore();
  return (
    <Group gap="xs">
      <Text size="xs" c="dimmed" flex={1}>
        {ids.size} nodes are selected.
      </Text>
      <Button
        size="compact-xs"
        variant="default"
        leftSection={<IconCopy size={13} />}
        onClick={() => insert(store, copyNodes(store.getState().history.present, ids))}
      >
        Duplicate
      </Button>
      <Button
        size="compact-xs"
        variant="light"
        color="red"
        leftSection={<IconTrash size={13} />}
        onClick={() => store.getState().change(before => removeNodes(before, ids))}
      >
        Remove
      </Button>
    </Group>
  );
}

function FaultRow({ id, fault, onOpen }: { id: string; fault: NodeFault; onOpen(id: string): void }) {
  return (
    <button
      type="button"
      className={classes.fault}
      data-mild={fault.mild || undefined}
      onClick={() => onOpen(id)}
    >
      <b>
        {id}
        {fault.place.length > 0 && ` · ${fault.place.slice(1).join('.')}`}
      </b>
      <span>{fault.message}</span>
      {fault.hint && !fault.hint.includes('\n') && <small>→ {fault.hint}</small>}
    </button>
  );
}
