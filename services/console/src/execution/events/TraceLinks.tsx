import { Button, Group, Text, Tooltip } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import type { Execution } from '~/api/types';
import { CopyText } from '~/ui/CopyText';

/** The run's trace id, under which the logs of every role name it; and the way to trace and logs, where the server knows it. */
export function TraceLinks({ execution }: { execution: Execution }) {
  const { trace_id: trace, links } = execution;
  if (!trace) return null;
  return (
    <Group gap={6} wrap="nowrap">
      <Tooltip label="Every log line that has to do with this run names its trace id. With api.trace_url and api.logs_url set, links to your own tools stand here.">
        <Text size="xs" c="dimmed" component="div">
          trace <CopyText text={trace} shown={trace.slice(0, 12)} label="the trace id" />
        </Text>
      </Tooltip>
      <Outside to={links.trace} label="Trace" />
      <Outside to={links.logs} label="Logs" />
    </Group>
  );
}

function Outside({ to, label }: { to: string | null | undefined; label: string }) {
  if (!to) return null;
  return (
    <Button
      component="a"
      href={to}
      target="_blank"
      rel="noreferrer"
      size="compact-xs"
      variant="default"
      rightSection={<IconExternalLink size={12} />}
    >
      {label}
    </Button>
  );
}
