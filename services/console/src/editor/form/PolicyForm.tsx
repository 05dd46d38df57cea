import { ActionIcon, Autocomplete, NumberInput, Select, SimpleGrid, Tooltip } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { workersQuery } from '~/api/queries';
import type { Json, NodeDefinition } from '~/api/types';
import { isObject } from '~/lib/json';
import { setAt, withAttempts } from '../document/edit';
import { faultsAt, type NodeFault } from '../document/faults';
import type { Policy } from '../document/policies';
import { useEditorStore } from '../store';
import { FieldFrame } from './FieldFrame';

const LABELS: Record<Policy, string> = {
  on_error: 'On error',
  timeout_ms: 'Timeout, ms',
  retry: 'Attempts',
  priority: 'Priority',
  pool: 'Pool',
  cache: 'Reuse results',
};

interface Props {
  node: NodeDefinition;
  policies: readonly Policy[];
  faults: readonly NodeFault[] | undefined;
}

/** What happens when the node fails or takes long, and where its jobs go. */
export function PolicyForm({ node, policies, faults }: Props) {
  const store = useEditorStore();
  const set = (policy: Policy, value: Json | undefined): void =>
    store.getState().change(before => setAt(before, node.id, [policy], value), `${node.id}/${policy}`);
  return (
    <SimpleGrid cols={2} spacing="sm">
      {policies.map(policy => (
        <FieldFrame
          key={policy}
          name={policy}
          title={LABELS[policy]}
          faults={faultsAt(faults, [policy])}
          aside={
            node[policy] !== undefined && (
              <Tooltip label="Take it out">
                <ActionIcon
                  size="xs"
                  aria-label={`Take out: ${LABELS[policy]}`}
                  onClick={() => set(policy, undefined)}
                >
                  <IconX size={13} />
                </ActionIcon>
              </Tooltip>
            )
          }
        >
          <PolicyField policy={policy} node={node} onChange={value => set(policy, value)} />
        </FieldFrame>
      ))}
    </SimpleGrid>
  );
}

interface FieldProps {
  policy: Policy;
  node: NodeDefinition;
  onChange(value: Json | undefined): void;
}

function PolicyField({ policy, node, onChange }: FieldProps) {
  const shared = { size: 'xs', 'aria-label': LABELS[policy] } as const;
  const number = (value: unknown) => (typeof value === 'number' ? value : '');
  const chosen = (value: unknown) => (typeof value === 'string' ? value : null);
  const typed = (value: string | number) => (typeof value === 'number' ? value : undefined);
  switch (policy) {
    case 'on_error':
      return <OnErrorField node={node} onChange={onChange} />;
    case 'timeout_ms':
      return (
        <NumberInput
          {...shared}
          placeholder="none"
          min={1}
          value={number(node.timeout_ms)}
          onChange={value => onChange(typed(value))}
        />
      );
    case 'retry': {
      const retry = isObject(node.retry) ? node.retry : {};
      return (
        <NumberInput
          {...shared}
          placeholder="1"
          min={1}
          max={20}
          value={number(retry.max_attempts)}
          onChange={value => onChange(withAttempts(retry, typed(value)))}
        />
      );
    }
    case 'pool':
      return <PoolField node={node} onChange={onChange} />;
    default:
      return (
        <Select
          {...shared}
          placeholder={policy === 'cache' ? 'auto' : 'the run’s'}
          data={policy === 'cache' ? ['auto', 'off'] : ['high', 'normal', 'low']}
          value={chosen(node[policy])}
          onChange={value => onChange(value ?? undefined)}
        />
      );
  }
}

type OwnProps = Omit<FieldProps, 'policy'>;

function OnErrorField({ node, onChange }: OwnProps) {
  const value = isObject(node.on_error)
    ? 'default'
    : typeof node.on_error === 'string'
      ? node.on_error
      : null;
  return (
    <Select
      size="xs"
      aria-label={LABELS.on_error}
      placeholder="fail"
      data={[
        { value: 'fail', label: 'the run fails' },
        { value: 'skip', label: 'skip what follows' },
        ...(value === 'default' ? [{ value: 'default', label: 'default values' }] : []),
      ]}
      value={value}
      onChange={next => next !== 'default' && onChange(next ?? undefined)}
    />
  );
}

/** Those that blocks go to by themselves, for as long as no worker says otherwise. */
const POOLS = ['fast', 'heavy', 'batch', 'cpu', 'io'];

function PoolField({ node, onChange }: OwnProps) {
  const workers = useQuery({ ...workersQuery(), refetchInterval: false });
  const served = (workers.data ?? []).flatMap(({ alive, pools }) => (alive ? (pools ?? []) : []));
  return (
    <Autocomplete
      size="xs"
      aria-label={LABELS.pool}
      placeholder="the block’s"
      data={served.length > 0 ? [...new Set(served)].sort() : POOLS}
      value={typeof node.pool === 'string' ? node.pool : ''}
      onChange={value => onChange(value === '' ? undefined : value)}
    />
  );
}
