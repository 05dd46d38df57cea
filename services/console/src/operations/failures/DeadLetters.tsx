import { Anchor, Button, Drawer, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { deadLettersQuery } from '~/api/queries';
import type { DeadLetter } from '~/api/types';
import { parseJson } from '~/lib/json';
import { shortId } from '~/lib/format';
import { useMay } from '~/login/who';
import { JsonTree } from '~/ui/JsonTree';
import { Panel } from '~/ui/Panel';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { RelativeTime } from '~/ui/RelativeTime';
import { table } from '~/ui/tableClasses';

const TITLE = 'Dead letters: events that could not be recorded';

/** The events the record would not take. They are the operator's: keys with less see that there may be some. */
export function DeadLetters() {
  const may = useMay('admin');
  const letters = useQuery({ ...deadLettersQuery(), enabled: may === true });
  const [open, setOpen] = useState<DeadLetter | null>(null);
  if (may === false) {
    return (
      <Text size="xs" c="dimmed">
        Events that could not be recorded are shown to keys with the scope <code>admin</code>.
      </Text>
    );
  }
  if (letters.error) return <ProblemNotice error={letters.error} onRetry={() => void letters.refetch()} />;
  if (!letters.data || letters.data.length === 0) return null;
  return (
    <Panel title={TITLE} flush>
      <Text size="xs" c="dimmed" px="md" py="xs">
        Postgres refused each for what it contains; the rest of its batch was written. The run itself went on.
        What the event says can be read here until its time in the record is over.
      </Text>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Event</th>
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
            <tr key={letter.event_id}>
              <td className="mono">{letter.kind}</td>
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
                <Button size="compact-xs" variant="default" onClick={() => setOpen(letter)}>
                  Read
                </Button>
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
        title={open?.kind}
      >
        {open && (
          <Stack gap="sm">
            <Text size="sm">{open.reason}</Text>
            <JsonTree value={parseJson(open.event)} open={3} label="The event" />
          </Stack>
        )}
      </Drawer>
    </Panel>
  );
}
