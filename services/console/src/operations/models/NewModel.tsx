import { Autocomplete, Modal, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { modelsQuery, workersQuery } from '~/api/queries';
import { notifyDone } from '~/ui/notify';
import { SubmitForm } from '~/ui/SubmitForm';
import { OriginField } from './OriginField';
import { PictureField } from './PictureField';
import { FILES, register, type Registration } from './registration';
import { WeightsField } from './WeightsField';

const TASKS = ['detection', 'classification', 'segmentation', 'embedding', 'tensor'];

const NOTHING: Registration = {
  id: '',
  task: 'detection',
  family: '',
  checkpoint: '',
  sha256: '',
  labels: '',
  files: {},
  weights: [],
  picture: null,
};

/** Registers a model: workers fetch it when it is first needed. */
export function NewModel({ onClose }: { onClose(): void }) {
  const queries = useQueryClient();
  const workers = useQuery(workersQuery());
  const models = useQuery(modelsQuery());
  const [model, setModel] = useState(NOTHING);
  const set = (change: Partial<Registration>): void => setModel(before => ({ ...before, ...change }));
  const families = [...new Set(workers.data?.flatMap(worker => worker.families ?? []))].sort();
  const replaced = models.data?.some(
    ({ model_id: id, created_at: registered }) => id === model.id.trim() && registered != null,
  );
  const send = useMutation({
    mutationFn: (signal: AbortSignal) => register(model, signal),
    onSuccess: async ({ model_id: id }) => {
      notifyDone(`${id} is registered`);
      await queries.invalidateQueries({ queryKey: modelsQuery().queryKey });
    },
  });
  return (
    <Modal opened onClose={onClose} title="Register a model" size="lg" closeOnClickOutside={!send.isPending}>
      <SubmitForm
        label={replaced ? 'Replace it' : 'Register'}
        incomplete={model.id.trim() === '' || model.checkpoint === ''}
        send={send}
        onCancel={onClose}
        onDone={onClose}
      >
        <TextInput
          label="Name"
          description="letters, digits, . _ and -, folders separated by /"
          placeholder="acme/parts"
          data-autofocus
          value={model.id}
          onChange={event => set({ id: event.currentTarget.value })}
        />
        {replaced && (
          <Text size="xs" c="var(--state-cancelled)">
            It is registered already: this replaces it. Runs under way keep the copy they have.
          </Text>
        )}
        <Select
          label="Task"
          data={TASKS}
          allowDeselect={false}
          value={model.task}
          onChange={task => set({ task: task ?? NOTHING.task })}
        />
        {model.task === 'tensor' && (
          <PictureField value={model.picture} onChange={picture => set({ picture })} />
        )}
        <OriginField
          label="ONNX file"
          description="uploaded from here, or fetched by the workers"
          accept=".onnx"
          value={model.checkpoint}
          onChange={checkpoint => set({ checkpoint })}
        />
        {typeof model.checkpoint === 'string' && (
          <TextInput
            label="SHA-256"
            description="what the file at the address must be; empty takes it as it is"
            value={model.sha256}
            onChange={event => set({ sha256: event.currentTarget.value })}
          />
        )}
        {model.task !== 'tensor' && (
          <>
            <Autocomplete
              label="Family"
              description="where the model’s files do not say it"
              placeholder="as its files say"
              data={families}
              value={model.family}
              onChange={family => set({ family })}
            />
            <Textarea
              label="Classes"
              description="one name a line, in the model’s order, or a JSON list or object; empty takes what its files say"
              autosize
              minRows={2}
              maxRows={8}
              value={model.labels}
              onChange={event => set({ labels: event.currentTarget.value })}
            />
          </>
        )}
        <Stack gap={8} component="fieldset" style={{ border: 0, margin: 0, padding: 0 }}>
          <Text size="sm" fw={500} component="legend">
            Files beside it
          </Text>
          <Text size="xs" c="dimmed">
            A Hugging Face model has some of these, a large graph keeps its weights apart, under the names
            that it has for them; an Ultralytics export needs none.
          </Text>
          {FILES.map(name => (
            <OriginField
              key={name}
              label={name}
              accept=".json"
              value={model.files[name] ?? ''}
              onChange={origin => set({ files: { ...model.files, [name]: origin } })}
            />
          ))}
          <WeightsField value={model.weights} onChange={weights => set({ weights })} />
        </Stack>
      </SubmitForm>
    </Modal>
  );
}
