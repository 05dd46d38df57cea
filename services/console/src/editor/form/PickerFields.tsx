import { Autocomplete, MultiSelect, Select } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { collectionsQuery } from '~/api/queries';
import { request } from '~/api/request';
import type { WorkflowPage, WorkflowSummary } from '~/api/types';
import { isObject } from '~/lib/json';
import { labelOf, shortId, words } from '~/lib/format';
import { useEditor } from '../store';
import type { FieldProps } from './SchemaField';

/** Pages of workflows that are read for the picker; whoever has more writes the id. */
const MOST_PAGES = 10;

const pickableQuery = () =>
  queryOptions({ queryKey: ['workflows', 'pickable'], queryFn: ({ signal }) => allWorkflows(signal) });

async function allWorkflows(signal: AbortSignal): Promise<WorkflowSummary[]> {
  const found: WorkflowSummary[] = [];
  let cursor: string | null | undefined = null;
  for (let read = 0; read < MOST_PAGES && cursor !== undefined; read += 1) {
    const query = new URLSearchParams({ limit: '100', ...(cursor !== null && { cursor }) });
    const page: WorkflowPage = await request<WorkflowPage>(`/workflows?${query}`, { signal });
    found.push(...page.workflows);
    cursor = page.next_cursor ?? undefined;
  }
  return found;
}

/** A workflow that is called: one of those that are saved, or one that the definition brings along. */
export function WorkflowField({ name, place, value, onChange }: FieldProps) {
  const saved = useQuery(pickableQuery());
  const own = useEditor(state => state.history.present.workflows);
  const [typed, setTyped] = useState('');
  const current = typeof value === 'string' ? value : null;
  const known = new Map<string, string>(
    (saved.data ?? []).map(one => [one.id, `${one.name ?? 'unnamed'} · ${shortId(one.id)}`]),
  );
  if (isObject(own)) Object.keys(own).forEach(one => known.set(one, one));
  if (current !== null && !known.has(current)) known.set(current, current);
  const text = typed.trim();
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
      onSearchChange={setTyped}
      onChange={next => onChange(place, next ?? undefined)}
      comboboxProps={{ withinPortal: true }}
    />
  );
}

/** A collection by its name; one that is not there yet may be written as well. */
export function CollectionField({ name, place, value, onChange }: FieldProps) {
  const collections = useQuery(collectionsQuery());
  const offered = (collections.data ?? []).map(collection => collection.name);
  return (
    <Autocomplete
      size="xs"
      aria-label={labelOf(name)}
      placeholder={offered.length > 0 ? 'Choose a collection' : 'Name of the collection'}
      data={offered}
      value={typeof value === 'string' ? value : ''}
      onChange={next => onChange(place, next === '' ? undefined : next)}
      comboboxProps={{ withinPortal: true }}
    />
  );
}

/** Several of a few that are known. */
export function ChoicesField({ name, place, schema, items, onChange }: FieldProps & { items: string[] }) {
  const { enum: choices = [], enumDescriptions } = schema.items ?? {};
  const known = choices.filter(choice => typeof choice === 'string');
  // What is set and no longer known is shown too: it can be taken away then.
  const all = [...new Set([...known, ...items])];
  const described = (choice: string) => enumDescriptions?.[known.indexOf(choice)];
  const standard = Array.isArray(schema.default) ? schema.default.map(String).map(words).join(', ') : 'none';
  return (
    <MultiSelect
      size="xs"
      searchable
      aria-label={labelOf(name)}
      data={all.map(choice => ({ value: choice, label: words(choice) }))}
      value={items}
      placeholder={items.length > 0 ? '' : standard}
      maxValues={schema.maxItems}
      onChange={next => onChange(place, next.length > 0 ? next : undefined)}
      renderOption={({ option }) => (
        <div>
          <div>{option.label}</div>
          {described(option.value) && (
            <small style={{ color: 'var(--ink-soft)' }}>{described(option.value)}</small>
          )}
        </div>
      )}
      comboboxProps={{ withinPortal: true }}
    />
  );
}
