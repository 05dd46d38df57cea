import { Button, Skeleton, Stack, Text } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keysQuery } from '~/api/queries';
import { request } from '~/api/request';
import type { ApiKey } from '~/api/types';
import { Needs } from '~/login/Needs';
import { useMay, useWho } from '~/login/who';
import { EmptyState } from '~/ui/EmptyState';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { RelativeTime } from '~/ui/RelativeTime';
import { table } from '~/ui/tableClasses';
import { Tag } from '~/ui/Tag';
import { NewKey } from './NewKey';

/** Who may call the api. */
export function Component() {
  const may = useMay('admin');
  const guarded = useWho()?.guarded ?? true;
  const keys = useQuery({ ...keysQuery(), enabled: may === true });
  const [making, setMaking] = useState(false);
  const make = (
    <Needs scope="admin">
      <Button leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>
        New key
      </Button>
    </Needs>
  );
  return (
    <Page title="Keys" actions={make}>
      <Stack>
        {may === false && (
          <EmptyState icon={IconKey} title="Keys are the administrator’s">
            This page needs a key with the scope admin.
          </EmptyState>
        )}
        {keys.error && <ProblemNotice error={keys.error} onRetry={() => void keys.refetch()} />}
        {may !== false && keys.isPending && <Skeleton height={160} radius="md" />}
        {!guarded && (
          <Text size="sm" c="dimmed">
            This server asks for no key and serves its own machine only. From the first key on, every caller
            needs one.
          </Text>
        )}
        {keys.data?.length === 0 && (
          <EmptyState icon={IconKey} title="No key yet">
            Programs send one with each request; people log in with theirs. The first has to be able to make
            others.
          </EmptyState>
        )}
        {keys.data && keys.data.length > 0 && <KeysTable rows={keys.data} />}
      </Stack>
      {making && <NewKey first={!guarded} onClose={() => setMaking(false)} />}
    </Page>
  );
}

function KeysTable({ rows }: { rows: ApiKey[] }) {
  const inForce = rows.filter(key => key.revoked_at == null);
  const admins = inForce.filter(key => key.scopes.includes('admin'));
  return (
    <div className={table.wrap}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Name</th>
            <th>May</th>
            <th className={table.optional}>Begins with</th>
            <th className={`${table.end} ${table.optional}`}>Made</th>
            <th className={table.end}>Last used</th>
            <th>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(key => (
            <tr key={key.id}>
              <td>
                <b>{key.name}</b>
              </td>
              <td>
                <Tag tone={key.scopes.includes('admin') ? 'warn' : 'plain'}>{key.scopes.join(', ')}</Tag>
              </td>
              <td className={`mono ${table.cell} ${table.optional}`}>{key.prefix}…</td>
              <td className={`${table.cell} ${table.end} ${table.optional}`}>
                <RelativeTime at={key.created_at} />
              </td>
              <td className={`${table.cell} ${table.end}`}>
                {key.last_used_at == null ? 'never' : <RelativeTime at={key.last_used_at} />}
              </td>
              <td className={table.end}>
                {key.revoked_at == null ? (
                  <Revoke
                    id={key.id}
                    name={key.name}
                    isOnly={inForce.length === 1}
                    isNeeded={inForce.length > 1 && admins.length === 1 && admins[0] === key}
                  />
                ) : (
                  <Tag tone="bad">revoked</Tag>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RevokeProps {
  id: string;
  name: string;
  /** Whether there is no other. */
  isOnly: boolean;
  /** Whether the others could not be managed without it. */
  isNeeded: boolean;
}

function Revoke({ id, name, isOnly, isNeeded }: RevokeProps) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => request(`/keys/${id}`, { method: 'DELETE' }),
    onSuccess: () => {
      notifyDone(`${name} is revoked`);
      return queries.invalidateQueries({ queryKey: ['keys'] });
    },
    onError: error => notifyProblem('It was not revoked', error),
  });
  return (
    <Button
      size="compact-xs"
      variant="default"
      loading={revoke.isPending}
      disabled={isNeeded}
      title={
        isNeeded ? 'Nobody could manage the other keys: make another with the scope admin first' : undefined
      }
      onClick={() => {
        const alone = isOnly
          ? ' It is the only one: this machine needs none from then on, and a server that others reach lets nobody in before millrace keys create --direct has made the next.'
          : '';
        if (
          window.confirm(
            `Revoke ${name}? Whoever uses it is locked out at once, and it cannot be undone.${alone}`,
          )
        )
          revoke.mutate();
      }}
    >
      Revoke
    </Button>
  );
}
