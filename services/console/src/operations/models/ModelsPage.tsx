import { Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconBox, IconFlame } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { modelsQuery, workersQuery } from '~/api/queries';
import type { Model, Worker } from '~/api/types';
import { EmptyState } from '~/ui/EmptyState';
import { Page } from '~/ui/Page';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { table } from '~/ui/tableClasses';
import { Preload } from './Preload';

/** The models that workers offer, and where each is warm. */
export function Component() {
  const models = useQuery(modelsQuery());
  const workers = useQuery(workersQuery());
  return (
    <Page title="Models">
      <Stack>
        {models.error && <ProblemNotice error={models.error} onRetry={() => void models.refetch()} />}
        {models.isPending && <Skeleton height={200} radius="md" />}
        {models.data?.length === 0 && (
          <EmptyState icon={IconBox} title="No model yet">
            Put a model’s folder, as its tools export it, into the model repository. Workers name it here as
            soon as they see it.
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
                  <Row key={model.model_id} model={model} workers={workers.data ?? []} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Stack>
    </Page>
  );
}

function Row({ model, workers }: { model: Model; workers: Worker[] }) {
  const alive = workers.filter(worker => worker.alive);
  const warm = alive.filter(worker => worker.models?.includes(model.model_id)).length;
  const labels = model.labels ?? [];
  return (
    <tr>
      <td>
        <b>{model.model_id}</b>
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
        <Preload id={model.model_id} pools={poolsOf(alive)} />
      </td>
    </tr>
  );
}

function poolsOf(workers: readonly Worker[]): string[] {
  return [...new Set(workers.flatMap(worker => worker.pools ?? []))].sort();
}
