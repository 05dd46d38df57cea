import { Code, Modal, NumberInput, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { collectionsQuery, modelsQuery } from '~/api/queries';
import { request } from '~/api/request';
import type { Collection, CollectionRequest } from '~/api/types';
import { SubmitForm } from '~/ui/SubmitForm';

const METRICS = [
  { value: 'cosine', label: 'cosine: their directions' },
  { value: 'dot', label: 'dot: their directions and lengths' },
] as const;

/** Makes a collection. */
export function NewCollection({ onClose }: { onClose(): void }) {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [dimension, setDimension] = useState<number | string>('');
  const [metric, setMetric] = useState<string>('cosine');
  const [model, setModel] = useState<string | null>(null);
  const { data: models = [] } = useQuery(modelsQuery());
  const embedding = models.filter(({ embedding_dimension: length }) => length != null);
  const lengthOf = (id: string | null) =>
    embedding.find(({ model_id }) => model_id === id)?.embedding_dimension ?? '';
  // Of another length than the model's, it is not for the model's.
  const isForModel = model !== null && lengthOf(model) === Number(dimension);
  const make = useMutation({
    mutationFn: (signal: AbortSignal) => {
      const body: CollectionRequest = { name: name.trim(), dimension: Number(dimension), metric };
      return request<Collection>('/collections', { method: 'POST', body, signal });
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: collectionsQuery().queryKey }),
  });
  return (
    <Modal opened onClose={onClose} title="A new collection">
      <SubmitForm
        label="Make the collection"
        incomplete={name.trim() === '' || !(Number(dimension) >= 1)}
        send={make}
        onCancel={onClose}
        onDone={onClose}
      >
        <TextInput
          label="Name"
          description="letters, digits, - _ and ."
          value={name}
          data-autofocus
          onChange={event => setName(event.currentTarget.value)}
        />
        {embedding.length > 0 && (
          <Select
            label="For the vectors of"
            description="a model that embeds; its dimensions are known"
            placeholder="another source"
            data={embedding.map(({ model_id, embedding_dimension: length }) => ({
              value: model_id,
              label: `${model_id} (${length})`,
            }))}
            clearable
            searchable
            value={isForModel ? model : null}
            onChange={id => {
              setModel(id);
              setDimension(lengthOf(id));
            }}
          />
        )}
        <NumberInput
          label="Dimensions"
          description={
            <>
              the length of its vectors, for good: what the embedding block gives as <Code>dimension</Code>
            </>
          }
          min={1}
          allowDecimal={false}
          value={dimension}
          onChange={setDimension}
        />
        <Select
          label="Compared by"
          data={[...METRICS]}
          allowDeselect={false}
          value={metric}
          onChange={value => setMetric(value ?? 'cosine')}
        />
      </SubmitForm>
    </Modal>
  );
}
