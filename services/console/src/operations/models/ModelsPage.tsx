import { Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconBox, IconFlame, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { modelsQuery, workersQuery } from '~/api/queries';
import type { Model, Worker } from '~/api/types';
import { useAddress } from '~/lib/useAddress';
import { Needs } from '~/login/Needs';
import { EmptyState } from '~/ui/EmptyState';
import { Page } from '~/ui/Page';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { table } from '~/ui/tableClasses';
import { ModelDetails } from './ModelDetails';
import { NewModel } from './NewModel';
import { Preload } from './Preload';

/** The models that workers offer, and where each is warm. */
export function Component() {
  const models = useQuery(modelsQuery());
  const workers = useQuery(workersQuery());
  const { params, set } = useAddress();
  const shown = models.data?.find(model => model.model_id === params.get('model'));
  const [registering, setRegistering] = useState(false);
  const add = (
    <Needs scope="admin">
      <Button leftSection={<IconPlus size={16} />} onClick={() => setRegistering(true)}>
        Register a model
      </Button>
    </Needs>
  );
  return (
    <Page title="Models" actions={add}>
      <Stack>
        {models.error && <ProblemNotice error={models.error} onRetry={() => void models.refetch()} />}
        {models.isPending && <Skeleton height={200} radius="md" />}
        {models.data?.length === 0 && (
          <EmptyState icon={IconBox} title="No model yet">
            Register one here, or put its folder, as its tools export it, into the model repository: workers
            name it as soon as they see it.
          </EmptyState>
        )}
        {models.data && models.data.length > 0 && (
          <div className={table.wrap}>
            <table className={table.table}>
              <thead>
                <tr>
                  <th>Model</th>
                  <th>Task</th>
                  <th className={table.optional}>Family</th>
                  <th className={table.optional}>Classes</th>
                  <th>Warm on</th>
                  <th>
                    <span className="visually-hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {models.data.map(model => (
                  <Row
                    key={model.model_id}
                    model={model}
                    workers={workers.data ?? []}
                    onOpen={() => set('model', model.model_id)}
                  />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Stack>
      {shown && <ModelDetails model={shown} onClose={() => set('model', null)} />}
      {registering && <NewModel onClose={() => setRegistering(false)} />}
    </Page>
  );
}

interface RowProps {
  model: Model;
  workers: Worker[];
  onOpen(): void;
}

function Row({ model, workers, onOpen }: RowProps) {
  const alive = workers.filter(worker => worker.alive);
  const warm = alive.filter(worker => worker.models?.includes(model.model_id)).length;
  const labels = model.labels ?? [];
  return (
    <tr data-link>
      <td>
        <button type="button" className={table.main} onClick={onOpen}>
          {model.model_id}
        </button>
      </td>
      <td className={table.cell}>{model.task ?? '–'}</td>
      <td className={`${table.cell} ${table.optional}`}>{model.family ?? '–'}</td>
      <td className={table.optional}>
        <Text size="xs" c="dimmed" lineClamp={1} maw={320} title={labels.join(', ')}>
          {labels.length > 0 ? labels.join(', ') : '–'}
        </Text>
      </td>
      <td className={`numbers ${table.cell}`}>
        <Group gap={6} wrap="nowrap">
          {warm > 0 && <IconFlame size={14} color="var(--state-timed_out)" aria-hidden />}
          <span>
            {warm} of {alive.length}
          </span>
        </Group>
      </td>
      <td className={table.end}>
        <span className={table.above}>
          <Preload id={model.model_id} pools={poolsOf(alive)} />
        </span>
      </td>
    </tr>
  );
}

function poolsOf(workers: readonly Worker[]): string[] {
  return [...new Set(workers.flatMap(worker => worker.pools ?? []))].sort();
}
