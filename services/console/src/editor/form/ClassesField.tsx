import { TagsInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { modelsQuery } from '~/api/queries';
import { labelOf } from '~/lib/format';
import { useEditor } from '../store';
import type { FieldProps } from './SchemaField';

/** Classes by name, offered from the model that finds them: the node's own, or any that the workflow uses. */
export function ClassesField({ node: id, name, place, items, onChange }: FieldProps & { items: string[] }) {
  const models = useQuery(modelsQuery());
  const nodes = useEditor(state => state.nodes);
  const own = nodes.get(id)?.config?.model_id;
  const used = own ? [own] : [...nodes.values()].map(node => node.config?.model_id);
  const offered = (models.data ?? [])
    .filter(model => used.includes(model.model_id))
    .flatMap(model => model.labels ?? []);
  return (
    <TagsInput
      size="xs"
      aria-label={labelOf(name)}
      placeholder={items.length > 0 ? '' : 'all classes'}
      data={[...new Set(offered)]}
      value={items}
      onChange={next => onChange(place, next.length > 0 ? next : undefined)}
      comboboxProps={{ withinPortal: true }}
    />
  );
}
