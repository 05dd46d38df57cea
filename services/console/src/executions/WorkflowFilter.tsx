import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { workflowQuery, workflowsPage } from '~/api/queries';
import { shortId } from '~/lib/format';

interface Props {
  /** The id of the workflow that is meant. */
  value: string | null;
  onChange(value: string | null): void;
}

/** A saved workflow, found by its name among however many there are. */
export function WorkflowFilter({ value, onChange }: Props) {
  const [search, setSearch] = useState('');
  const chosen = useQuery({ ...workflowQuery(value ?? ''), enabled: value !== null, retry: false });
  // One that was deleted still has its runs.
  const shown = value && { value, label: chosen.data?.name ?? `workflow ${shortId(value)}` };
  // What stands in the field while nobody types is the name of what is chosen.
  const typed = shown && search === shown.label ? '' : search.trim();
  const [name] = useDebouncedValue(typed, 200);
  const found = useQuery({
    queryKey: ['workflows', 'named', name],
    queryFn: ({ signal }) => workflowsPage(name, null, signal),
    placeholderData: keepPreviousData,
  });
  const others = (found.data?.rows ?? [])
    .filter(workflow => workflow.id !== value)
    .map(workflow => ({ value: workflow.id, label: workflow.name }));
  return (
    <Select
      size="xs"
      aria-label="Workflow"
      placeholder="Any workflow"
      clearable
      searchable
      data={shown ? [shown, ...others] : others}
      nothingFoundMessage="No workflow of that name"
      value={value}
      onChange={onChange}
      searchValue={search}
      onSearchChange={setSearch}
      w={220}
    />
  );
}
