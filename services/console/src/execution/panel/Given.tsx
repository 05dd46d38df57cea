import { Skeleton, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { nodeRunQuery } from '~/api/queries';
import type { NodeRun } from '~/api/types';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { useLive } from '../live/context';
import { Ports } from './Ports';

/** What a node run was given. The stream does not tell: it is asked for, and once more when the node run has gone on. */
export function Given({ run }: { run: NodeRun }) {
  const execution = useLive(live => live.run.id);
  const { data, error, refetch } = useQuery(nodeRunQuery(execution, run));
  if (error) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton height={60} />;
  const inputs = data?.inputs;
  if (inputs && Object.keys(inputs).length > 0) return <Ports values={inputs} path={run.path} />;
  return (
    <Text size="sm" c="dimmed">
      {inputs ? 'It takes nothing from other nodes.' : missingWords(run)}
    </Text>
  );
}

function missingWords({ status }: NodeRun): string {
  return status === 'pending'
    ? 'It has not begun yet.'
    : 'What it was given cannot be looked up as things are.';
}
