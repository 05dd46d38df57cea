import { MultiSelect } from '@mantine/core';
import { labelOf, words } from '~/lib/format';
import type { FieldProps } from './SchemaField';

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
