import { Alert, Button, Code, List, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconPlugConnectedX } from '@tabler/icons-react';
import { useEffect, useEffectEvent } from 'react';
import { ProblemError } from '~/api/request';
import type { Problem } from '~/api/types';

/** Between tries while the server is away. */
const AGAIN_MS = 5_000;

/** An error answer: what is wrong, where, what to do. */
export function ProblemNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = error instanceof ProblemError ? error.problem : null;
  const away = problem?.status === 0;
  const waits = away && onRetry !== undefined;
  const retry = useEffectEvent(() => onRetry?.());
  useEffect(() => {
    if (!waits) return;
    const timer = setInterval(() => retry(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [waits]);
  return (
    <Alert
      color={away ? 'orange' : 'red'}
      icon={away ? <IconPlugConnectedX size={18} /> : <IconAlertTriangle size={18} />}
      title={problem?.title ?? 'Something went wrong'}
      role="alert"
    >
      <Stack gap="xs" align="flex-start">
        <Text size="sm">
          {problem?.detail ?? (error instanceof Error ? error.message : String(error))}
          {waits && ' This page tries again by itself.'}
        </Text>
        {problem && <Faults problem={problem} />}
        {problem?.request_id && (
          <Text size="xs" c="dimmed">
            {problem.code} · request <Code>{problem.request_id}</Code>
          </Text>
        )}
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** What is wrong, one by one. A single fault is the problem's detail as well: what it says more is left to be said. */
function Faults({ problem: { detail, errors } }: { problem: Problem }) {
  const [only, second] = errors ?? [];
  if (!errors || !only) return null;
  if (second === undefined && only.message === detail) {
    return (
      <>
        {only.node && (
          <Text size="sm">
            At <b>{only.node}</b>
          </Text>
        )}
        <Hint text={only.hint} />
      </>
    );
  }
  return (
    <List size="sm" spacing={4}>
      {errors.slice(0, 8).map(fault => (
        <List.Item key={`${fault.pointer} ${fault.code}`}>
          {fault.node && <b>{fault.node}: </b>}
          {fault.message}
          <Hint text={fault.hint} />
        </List.Item>
      ))}
    </List>
  );
}

function Hint({ text }: { text: string | null | undefined }) {
  return text ? <Text size="sm" c="dimmed">{`→ ${text}`}</Text> : null;
}
