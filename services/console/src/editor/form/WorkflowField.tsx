import { Select } from '@mantine/core';
import { useState } from 'react';
import { isObject } from '~/lib/json';
import { labelOf, shortId } from '~/lib/format';
import { useWorkflowOffers } from '~/workflows/useWorkflowOffers';
import { useEditor } from '../store';
import type { FieldProps } from './SchemaField';

const named = (name: string, id: string) => `${name} · ${shortId(id)}`;

/** A workflow that is called: one of those that are saved, or one that the definition brings along. */
export function WorkflowField({ name, place, value, onChange }: FieldProps) {
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
      onChange={next => onChange(place, next ?? undefined)}
      comboboxProps={{ withinPortal: true }}
    />
  );
}
