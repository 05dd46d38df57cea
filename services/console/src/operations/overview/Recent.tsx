import { Anchor, Button } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { executionsPage } from '~/api/queries';
import { ExecutionsTable } from '~/executions/ExecutionsTable';
import { EmptyState } from '~/ui/EmptyState';
import { Panel } from '~/ui/Panel';

const SHOWN = 8;

/** The newest runs. */
export function Recent() {
  const runs = useQuery({
    queryKey: ['executions', 'recent'],
    queryFn: ({ signal }) => executionsPage({ limit: SHOWN }, null, signal),
    refetchInterval: 3_000,
  });
  if (!runs.data) return null;
  return (
    <Panel
      title="Newest runs"
      flush
      aside={
        <Anchor component={Link} to="/executions" size="xs">
          All
        </Anchor>
      }
    >
      {runs.data.rows.length > 0 ? (
        <ExecutionsTable rows={runs.data.rows} framed={false} />
      ) : (
        <EmptyState
          compact
          icon={IconHistory}
          title="Nothing has run yet"
          action={
            <Button component={Link} to="/workflows" size="xs" mt={6}>
              Start from an example
            </Button>
          }
        >
          Draw a workflow, give it a picture, and watch it here.
        </EmptyState>
      )}
    </Panel>
  );
}
