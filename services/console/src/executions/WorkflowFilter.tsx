import { Select } from '@mantine/core';
import { useState } from 'react';
import { shortId } from '~/lib/format';
import { useWorkflowOffers } from '~/workflows/useWorkflowOffers';

interface Props {
  /** The id of the workflow that is meant. */
  value: string | null;
  onChange(value: string | null): void;
}

/** A saved workflow, found by its name among however many there are. */
export function WorkflowFilter({ value, onChange }: Props) {
  const [search, setSearch] = useState('');
  // One that was deleted still has its runs.
  const labelOf = (name?: string) => name ?? `workflow ${shortId(value ?? '')}`;
  const { name, found } = useWorkflowOffers(value, search, labelOf);
  const shown = value !== null && { value, label: labelOf(name) };
  const others = found
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
