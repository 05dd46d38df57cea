import { Fieldset, Stack, Switch } from '@mantine/core';
import { labelOf } from '~/lib/format';
import { faultsAt, faultsElsewhere } from '../document/faults';
import { FieldFrame } from './FieldFrame';
import { asFields, SchemaField, type FieldProps } from './SchemaField';

/** A group of fields, switched on as a whole where it may be left out. */
export function ObjectField({ node, name, place, schema, value, required, faults, onChange }: FieldProps) {
  const on = value !== undefined || required;
  const fields = on ? Object.keys(schema.properties ?? {}) : [];
  // Also what is wrong at a field that is not drawn: such as one that there is not.
  const own = faultsElsewhere(
    faultsAt(faults, place),
    fields.map(field => [...place, field]),
  );
  return (
    <FieldFrame
      name={name}
      help={schema.description}
      faults={own}
      aside={
        !required && (
          <Switch
            size="xs"
            aria-label={`Use ${labelOf(name)}`}
            checked={on}
            onChange={event => onChange(place, event.currentTarget.checked ? {} : undefined)}
          />
        )
      }
    >
      {on && (
        <Fieldset p="sm" radius="md">
          <Stack gap="sm">
            {Object.entries(schema.properties ?? {}).map(([field, part]) => (
              <SchemaField
                key={field}
                node={node}
                name={field}
                place={[...place, field]}
                schema={part}
                value={asFields(value)[field]}
                required={schema.required?.includes(field) ?? false}
                faults={faults}
                onChange={onChange}
              />
            ))}
          </Stack>
        </Fieldset>
      )}
    </FieldFrame>
  );
}
