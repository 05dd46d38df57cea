import { Select } from '@mantine/core';
import { useEffect, useEffectEvent, useState, type KeyboardEvent } from 'react';
import { isWorkflowId } from '~/graph/calls';
import { isObject } from '~/lib/json';
import { labelOf, shortId } from '~/lib/format';
import { useWorkflowOffers } from '~/workflows/useWorkflowOffers';
import { setAt } from '../document/edit';
import { useEditor, useEditorStore } from '../store';
import type { FieldProps } from './SchemaField';

const named = (name: string, id: string) => `${name} · ${shortId(id)}`;

/** A workflow that is called: one of those that are saved, or one that the definition brings along. */
export function WorkflowField({ node, name, place, value }: FieldProps) {
  const store = useEditorStore();
  const own = useEditor(state => state.history.present.workflows);
  const [search, setSearch] = useState('');
  const current = typeof value === 'string' ? value : null;
  const brought = isObject(own) ? Object.keys(own) : [];
  const isSaved = current !== null && !brought.includes(current);
  const offers = useWorkflowOffers(isSaved ? current : null, search, saved =>
    saved === undefined ? (current ?? '') : named(saved, current ?? ''),
  );
  const known = new Map<string, string>(brought.map(one => [one, one]));
  if (current !== null && isSaved) known.set(current, offers.name ? named(offers.name, current) : current);
  for (const workflow of offers.found) known.set(workflow.id, named(workflow.name, workflow.id));
  const text = search.trim();
  // One that is not there yet may be written as well.
  if (text !== '' && ![...known].flat().includes(text)) known.set(text, text);
  // The version that a save noted is one of the workflow before; of the new one the next save notes the newest.
  const choose = (next: string | undefined): void => {
    const version = [...place.slice(0, -1), 'version'];
    store
      .getState()
      .change(
        before => setAt(setAt(before, node, version, undefined), node, place, next),
        `${node}/${place.join('/')}`,
      );
  };
  const take = (): void => {
    if (known.has(text) && text !== current) choose(text);
  };
  // Where nobody said that it is meant, only what can be nothing but an id: half a name is a search that was given up.
  const settle = (): void => {
    if (isWorkflowId(text) || (text !== '' && brought.includes(text))) take();
  };
  const settleNow = useEffectEvent(settle);
  useEffect(() => store.getState().onSettle(() => settleNow()), [store]);
  return (
    <Select
      size="xs"
      searchable
      aria-label={labelOf(name)}
      placeholder="Choose a workflow, or write its id"
      data={[...known].map(([id, label]) => ({ value: id, label }))}
      value={current}
      clearable={current !== null}
      searchValue={search}
      onSearchChange={setSearch}
      onChange={next => choose(next ?? undefined)}
      onBlur={settle}
      // Outside the field, whose own keys come first: it has dealt with the Enter that chooses an option.
      wrapperProps={{
        onKeyDown: (event: KeyboardEvent) => {
          if (event.key === 'Enter' && !event.defaultPrevented) take();
        },
      }}
      comboboxProps={{ withinPortal: true }}
    />
  );
}
