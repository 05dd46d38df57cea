import { Autocomplete } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { collectionsQuery, modelsQuery } from '~/api/queries';
import { blockName } from '~/graph/selectors';
import { labelOf } from '~/lib/format';
import { useEditor } from '../store';
import { modelsFor } from './models';
import type { FieldProps } from './SchemaField';

/** A model, offered from the repository and from those that are registered. */
export function ModelField(field: FieldProps) {
  const models = useQuery(modelsQuery());
  const type = useEditor(state => blockName(state.nodes.get(field.node)?.type ?? ''));
  const offered = modelsFor(type, models.data ?? []).map(model => model.model_id);
  return <NamedField {...field} what="model" offered={offered} />;
}

/** A collection. */
export function CollectionField(field: FieldProps) {
  const collections = useQuery(collectionsQuery());
  const offered = (collections.data ?? []).map(collection => collection.name);
  return <NamedField {...field} what="collection" offered={offered} />;
}

/** Something by its name; one that is not there yet may be written as well. */
function NamedField(field: FieldProps & { what: string; offered: string[] }) {
  const { name, place, value, onChange, what, offered } = field;
  return (
    <Autocomplete
      size="xs"
      aria-label={labelOf(name)}
      placeholder={offered.length > 0 ? `Choose a ${what}` : `Name of the ${what}`}
      data={offered}
      value={typeof value === 'string' ? value : ''}
      onChange={next => onChange(place, next === '' ? undefined : next)}
      comboboxProps={{ withinPortal: true }}
    />
  );
}
