import { Button, Group, Text } from '@mantine/core';
import { IconPlugOff } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { request } from '~/api/request';
import type { Worker } from '~/api/types';
import { formatBytes, formatCount, shortId } from '~/lib/format';
import { Needs } from '~/login/Needs';
import { CopyText } from '~/ui/CopyText';
import { Meter } from '~/ui/Meter';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { Tag, type Tone } from '~/ui/Tag';
import { RelativeTime } from '~/ui/RelativeTime';
import { inHand } from '../places';
import classes from './WorkerCard.module.css';

const PRESSURE: Record<string, Tone> = { low: 'good', medium: 'warn', high: 'warn', critical: 'bad' };

/** One worker: what it has in hand, what it holds in memory, and a way to let it go. */
export function WorkerCard({ worker }: { worker: Worker }) {
  const { memory } = worker;
  const state = !worker.alive ? 'lost' : worker.draining ? 'draining' : (worker.state ?? 'active');
  return (
    <article className={classes.card} data-state={state} aria-label={`Worker ${worker.worker_id}`}>
      <Group justify="space-between" wrap="nowrap">
        <Text fw={600} size="sm" component="div">
          <CopyText text={worker.worker_id} shown={shortId(worker.worker_id)} label="the worker's id" />
        </Text>
        <Tag tone={state === 'active' ? 'good' : state === 'lost' ? 'bad' : 'warn'}>{state}</Tag>
      </Group>
      <Group gap={5}>
        {worker.pools?.map(pool => (
          <Tag key={pool}>{pool}</Tag>
        ))}
        {worker.devices?.map(device => (
          <Tag key={device} tone="info">
            on {worker.gpu_model ?? device}
          </Tag>
        ))}
      </Group>
      {worker.alive ? (
        <>
          <Meter
            label="In hand"
            value={worker.running ?? 0}
            most={worker.capacity ?? 0}
            text={inHand(worker.running, worker.capacity)}
          />
          {memory && (
            <Meter
              label="Models in memory"
              value={memory.used_bytes + memory.reserved_bytes}
              most={memory.budget_bytes}
              text={`${formatBytes(memory.used_bytes)} of ${formatBytes(memory.budget_bytes)}`}
              aside={<Tag tone={PRESSURE[memory.pressure] ?? 'plain'}>{memory.pressure} pressure</Tag>}
            />
          )}
          <div>
            <Text size="xs" c="dimmed" mb={3}>
              Loaded
            </Text>
            <Group gap={5}>
              {worker.models?.map(model => (
                <Tag key={model} tone="info">
                  {model}
                </Tag>
              ))}
              {worker.loading?.map(model => (
                <Tag key={model} tone="warn">
                  {model} (loading)
                </Tag>
              ))}
              {[...(worker.models ?? []), ...(worker.loading ?? [])].length === 0 && (
                <Text size="xs">nothing yet; models load when they are needed</Text>
              )}
            </Group>
          </div>
          <Group justify="space-between" mt="auto">
            <Text size="xs" c="dimmed" component="div">
              v{worker.version} · {counted(worker.loads, 'load')}, {counted(worker.evictions, 'eviction')}
              {worker.started_at != null && (
                <>
                  {' '}
                  · started <RelativeTime at={worker.started_at} />
                </>
              )}
            </Text>
            {!worker.draining && (
              <Needs scope="admin">
                <DrainButton id={worker.worker_id} />
              </Needs>
            )}
          </Group>
        </>
      ) : (
        <Text size="sm" c="dimmed" component="div">
          Last seen <RelativeTime at={worker.last_seen} />. Its jobs were taken over.
        </Text>
      )}
    </article>
  );
}

function counted(count: number | null | undefined, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

function DrainButton({ id }: { id: string }) {
  const queries = useQueryClient();
  const drain = useMutation({
    mutationFn: () => request(`/workers/${encodeURIComponent(id)}/drain`, { method: 'POST' }),
    onSuccess: () => {
      notifyDone('The worker takes no more jobs, finishes those in hand, and ends');
      return queries.invalidateQueries({ queryKey: ['workers'] });
    },
    onError: error => notifyProblem('It does not drain', error),
  });
  return (
    <Button
      size="compact-xs"
      variant="default"
      leftSection={<IconPlugOff size={13} />}
      loading={drain.isPending}
      onClick={() => {
        if (window.confirm('Drain this worker? It takes no more jobs, finishes those in hand, and ends.'))
          drain.mutate();
      }}
    >
      Drain
    </Button>
  );
}
