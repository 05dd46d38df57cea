import { Button, Menu } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Needs } from '~/login/Needs';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { preloadModel } from './preloadModel';

/** Where model blocks go when nothing else is said. */
const USUAL_POOL = 'fast';

/** Has the workers of a pool load a model, and says what came of it. */
export function Preload({ id, pools }: { id: string; pools: string[] }) {
  const queries = useQueryClient();
  const usual = pools.includes(USUAL_POOL) ? USUAL_POOL : pools[0];
  const asked = useMutation({
    mutationFn: (pool: string) => preloadModel(id, pool),
    onSuccess: ({ workers, pool }) => {
      if (workers.length > 0) {
        notifyDone(`${id} is loaded on ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}`);
      } else notifyDone(`The workers of ${pool} were asked for ${id}; none has it yet`);
      void queries.invalidateQueries({ queryKey: ['models'] });
      return queries.invalidateQueries({ queryKey: ['workers'] });
    },
    onError: error => notifyProblem(`${id} was not loaded`, error),
  });
  if (usual === undefined) return null;
  return (
    <Needs scope="run">
      <Button.Group style={{ display: 'inline-flex' }}>
        <Button
          size="compact-xs"
          variant="default"
          loading={asked.isPending}
          onClick={() => asked.mutate(usual)}
        >
          Preload
        </Button>
        {pools.length > 1 && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button size="compact-xs" variant="default" px={4} aria-label={`Preload ${id} in another pool`}>
                <IconChevronDown size={12} />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>By the workers of</Menu.Label>
              {pools.map(pool => (
                <Menu.Item key={pool} disabled={asked.isPending} onClick={() => asked.mutate(pool)}>
                  {pool}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        )}
      </Button.Group>
    </Needs>
  );
}
