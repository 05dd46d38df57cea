import { Anchor, Button, Drawer, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { deadLettersQuery } from '~/api/queries';
import { request } from '~/api/request';
import type { DeadLetter } from '~/api/types';
import { parseJson } from '~/lib/json';
import { shortId } from '~/lib/format';
import { useMay } from '~/login/who';
import { JsonTree } from '~/ui/JsonTree';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { Panel } from '~/ui/Panel';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { RelativeTime } from '~/ui/RelativeTime';
import { table } from '~/ui/tableClasses';

const TITLE = 'Dead letters: what could not be read or recorded';

const ORIGINS: Record<DeadLetter['origin'], string> = {
  inbox: 'an orchestrator’s inbox',
  events: 'the writer’s stream',
  record: 'the record',
};

/** What was set aside. It is the operator's: keys with less see that there may be some. */
export function DeadLetters() {
  const may = useMay('admin');
  const letters = useQuery({ ...deadLettersQuery(), enabled: may === true });
  const [open, setOpen] = useState<DeadLetter | null>(null);
  if (may === false) {
    return (
      <Text size="xs" c="dimmed">
        What could not be read or recorded is shown to keys with the scope <code>admin</code>.
      </Text>
    );
  }
  if (letters.error) return <ProblemNotice error={letters.error} onRetry={() => void letters.refetch()} />;
  if (!letters.data || letters.data.length === 0) return null;
  return (
    <Panel title={TITLE} flush>
      <Text size="xs" c="dimmed" px="md" py="xs">
        Each was refused for what it contains, and held up nothing else. It can be tried again after an
        upgrade, or when what was in its way is gone: that repeats nothing that was done.
      </Text>
      <table className={table.table}>
        <thead>
          <tr>
            <th>What</th>
            <th>From</th>
            <th>Run</th>
            <th>Reason</th>
            <th className={table.end}>Since</th>
            <th>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {letters.data.map(letter => (
            <tr key={letter.id}>
              <td className="mono">{letter.kind}</td>
              <td>{ORIGINS[letter.origin]}</td>
              <td>
                {letter.execution_id && (
                  <Anchor component={Link} to={`/executions/${letter.execution_id}`} size="sm">
                    {shortId(letter.execution_id)}
                  </Anchor>
                )}
              </td>
              <td>
                <Text size="xs" lineClamp={2} title={letter.reason}>
                  {letter.reason}
                </Text>
              </td>
              <td className={`${table.cell} ${table.end}`}>
                <RelativeTime at={letter.created_at} />
              </td>
              <td className={table.end}>
                <Group gap={4} justify="flex-end" wrap="nowrap">
                  <Button size="compact-xs" variant="default" onClick={() => setOpen(letter)}>
                    Read
                  </Button>
                  {letter.redoable && <Redo id={letter.id} />}
                </Group>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Drawer
        opened={open !== null}
        onClose={() => setOpen(null)}
        position="right"
        size="lg"
        title={open?.kind ?? 'A dead letter'}
      >
        {open && (
          <Stack gap="sm">
            <Text size="sm">{open.reason}</Text>
            <JsonTree value={parseJson(open.content)} open={3} label="What it says" />
          </Stack>
        )}
      </Drawer>
    </Panel>
  );
}

function Redo({ id }: { id: string }) {
  const queries = useQueryClient();
  const redo = useMutation({
    mutationFn: () => request(`/dead-letters/${encodeURIComponent(id)}/redo`, { method: 'POST' }),
    onSuccess: () => {
      notifyDone('It is tried again');
      return queries.invalidateQueries({ queryKey: ['dead-letters'] });
    },
    onError: error => notifyProblem('It was not tried again', error),
  });
  return (
    <Button size="compact-xs" variant="default" loading={redo.isPending} onClick={() => redo.mutate()}>
      Try again
    </Button>
  );
}
