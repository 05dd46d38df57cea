import { Button, Drawer, Group, Stack, Text } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { modelsQuery } from '~/api/queries';
import { request } from '~/api/request';
import type { Model } from '~/api/types';
import { formatBytes, formatCount, formatDate, shortId } from '~/lib/format';
import { Needs } from '~/login/Needs';
import { CopyText } from '~/ui/CopyText';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { Tag } from '~/ui/Tag';
import classes from './ModelDetails.module.css';

interface Props {
  model: Model;
  onClose(): void;
}

/** What is known of a model: what it is, where its files are, who has it loaded. */
export function ModelDetails({ model, onClose }: Props) {
  const labels = model.labels ?? [];
  return (
    <Drawer opened onClose={onClose} position="right" size="lg" title={model.model_id}>
      <Stack gap="lg">
        <dl className={classes.facts}>
          <Fact name="Named in a workflow by">
            <CopyText text={naming(model)} label="how a block names it" />
          </Fact>
          <Fact name="Source">
            {sourceOf(model)} <span className={classes.aside}>({model.source})</span>
          </Fact>
          <Fact name="Task">{model.task}</Fact>
          <Fact name="Family">{model.family}</Fact>
          <Fact name="Pictures it is given">
            {model.input_size && `${model.input_size.join(' × ')} pixels`}
          </Fact>
          <Fact name="Dimensions of its vectors">{model.embedding_dimension}</Fact>
          <Fact name="ONNX file">
            {model.checkpoint && <Long text={model.checkpoint} label="where it is" />}
          </Fact>
          <Fact name="Its SHA-256">{model.sha256 && <Long text={model.sha256} label="its SHA-256" />}</Fact>
          <Fact name="Its files">{model.file_bytes != null && formatBytes(model.file_bytes)}</Fact>
          <Fact name={model.workers.length > 0 ? 'Warm copy' : 'Copy that was loaded last'}>
            {model.digest && <Long text={model.digest} label="the copy’s digest" />}
          </Fact>
          <Fact name="In memory">{model.bytes != null && formatBytes(model.bytes)}</Fact>
          <Fact name="Warm on">
            {model.workers.length > 0 ? (
              <Names ids={model.workers} />
            ) : (
              'no worker; it is loaded when it is needed'
            )}
          </Fact>
          <Fact name="Loading on">{model.loading.length > 0 && <Names ids={model.loading} />}</Fact>
          <Fact name="Registered">{model.created_at != null && formatDate(model.created_at)}</Fact>
          <Fact name="Replaced">
            {model.updated_at != null &&
              model.updated_at !== model.created_at &&
              formatDate(model.updated_at)}
          </Fact>
          <Fact name={`Classes (${formatCount(labels.length)})`}>
            {labels.length > 0 && (
              <ol start={0} className={classes.labels}>
                {labels.map((label, index) => (
                  <li key={index}>{label}</li>
                ))}
              </ol>
            )}
          </Fact>
        </dl>
        {isRegistered(model) ? (
          <Group>
            <Needs scope="admin">
              <DeleteModel id={model.model_id} onDone={onClose} />
            </Needs>
          </Group>
        ) : (
          model.in_repository && (
            <Text size="sm" c="dimmed">
              It lies in the workers’ model repository: remove its folder there to take it out.
            </Text>
          )
        )}
      </Stack>
    </Drawer>
  );
}

/** Whether it was registered here, and can be taken out here. */
function isRegistered(model: Model): boolean {
  return model.created_at != null;
}

function sourceOf(model: Model): string {
  if (isRegistered(model)) return model.in_repository ? 'registered, and in a repository' : 'registered';
  return model.in_repository ? 'the workers’ model repository' : 'a worker that still has it';
}

/** The settings by which a block means this model. */
function naming({ model_id, source }: Model): string {
  const named = source === 'pretrained' ? { model_id } : { model_id, model_source: source };
  return JSON.stringify(named).slice(1, -1).replaceAll('":', '": ').replaceAll(',"', ', "');
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  if (children === null || children === undefined || children === false || children === '') return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Long({ text, label }: { text: string; label: string }) {
  return <CopyText text={text} shown={text.length > 44 ? `${text.slice(0, 43)}…` : text} label={label} />;
}

function Names({ ids }: { ids: readonly string[] }) {
  return (
    <Group gap={5}>
      {ids.map(id => (
        <span key={id} title={id}>
          <Tag tone="info">{shortId(id)}</Tag>
        </span>
      ))}
    </Group>
  );
}

function DeleteModel({ id, onDone }: { id: string; onDone(): void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => request(`/models/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSuccess: async () => {
      notifyDone(`${id} is no longer registered`);
      onDone();
      await queries.invalidateQueries({ queryKey: modelsQuery().queryKey });
    },
    onError: error => notifyProblem('It was not deleted', error),
  });
  return (
    <Button
      color="red"
      variant="light"
      size="xs"
      leftSection={<IconTrash size={14} />}
      loading={remove.isPending}
      onClick={() => {
        if (window.confirm(`Take ${id} out of the registry? Workflows that name it fail from then on.`))
          remove.mutate();
      }}
    >
      Delete
    </Button>
  );
}
