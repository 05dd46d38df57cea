import { Autocomplete, NumberInput, Select, SimpleGrid } from '@mantine/core';
import type { Block, Json, NodeDefinition } from '~/api/types';
import { isObject } from '~/lib/json';
import { setAt, withAttempts } from '../document/edit';
import { policiesOf } from '../document/policies';
import { useEditorStore } from '../store';

/** Those that blocks go to by themselves; workers may have others. */
const POOLS = ['fast', 'heavy', 'batch', 'cpu'];

/** What happens when the node fails or takes long, and where its jobs go. */
export function PolicyForm({ node, block }: { node: NodeDefinition; block: Block }) {
  const policies = policiesOf(block);
  const store = useEditorStore();
  const set = (place: string[], value: Json | undefined): void =>
    store.getState().change(before => setAt(before, node.id, place, value), `${node.id}/${place.join('/')}`);
  const number = (value: unknown) => (typeof value === 'number' ? value : '');
  const retry = isObject(node.retry) ? node.retry : {};
  const onError = isObject(node.on_error)
    ? 'default'
    : typeof node.on_error === 'string'
      ? node.on_error
      : null;
  return (
    <SimpleGrid cols={2} spacing="sm">
      <Select
        size="xs"
        label="On error"
        placeholder="fail"
        clearable
        data={[
          { value: 'fail', label: 'the run fails' },
          { value: 'skip', label: 'skip what follows' },
          ...(onError === 'default' ? [{ value: 'default', label: 'default values' }] : []),
        ]}
        value={onError}
        onChange={value => value !== 'default' && set(['on_error'], value ?? undefined)}
      />
      {policies.includes('timeout_ms') && (
        <NumberInput
          size="xs"
          label="Timeout, ms"
          placeholder="none"
          min={1}
          value={number(node.timeout_ms)}
          onChange={value => set(['timeout_ms'], typeof value === 'number' ? value : undefined)}
        />
      )}
      {policies.includes('retry') && (
        <NumberInput
          size="xs"
          label="Attempts"
          placeholder="1"
          min={1}
          max={20}
          value={number(retry.max_attempts)}
          onChange={value =>
            set(['retry'], withAttempts(retry, typeof value === 'number' ? value : undefined))
          }
        />
      )}
      {policies.includes('priority') && (
        <Select
          size="xs"
          label="Priority"
          placeholder="the run’s"
          clearable
          data={['high', 'normal', 'low']}
          value={typeof node.priority === 'string' ? node.priority : null}
          onChange={value => set(['priority'], value ?? undefined)}
        />
      )}
      {policies.includes('pool') && (
        <Autocomplete
          size="xs"
          label="Pool"
          placeholder="the block’s"
          data={POOLS}
          value={typeof node.pool === 'string' ? node.pool : ''}
          onChange={value => set(['pool'], value === '' ? undefined : value)}
        />
      )}
      {policies.includes('cache') && (
        <Select
          size="xs"
          label="Reuse results"
          placeholder="auto"
          clearable
          data={['auto', 'off']}
          value={typeof node.cache === 'string' ? node.cache : null}
          onChange={value => set(['cache'], value ?? undefined)}
        />
      )}
    </SimpleGrid>
  );
}
