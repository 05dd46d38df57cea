import { Badge, Group, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { executionQuery } from '~/api/queries';
import { Panel } from '~/ui/Panel';
import classes from '../outputs/Values.module.css';
import { isTerminal } from '../live/state';
import type { TabProps } from '../tabs';
import { useRunStatus } from '../useRunStatus';
import { callbackFacts, factsOf, type Fact } from './facts';

/** No event tells of a call-back. */
const LOOK_MS = 3_000;

/** How the run was asked for, what it took, and who was told of its end. */
export default function FactsTab({ execution }: TabProps) {
  const over = isTerminal(useRunStatus(execution));
  const awaited = over && execution.callback?.status === 'pending';
  useQuery({ ...executionQuery(execution.execution_id), refetchInterval: awaited ? LOOK_MS : false });
  const labels = Object.entries(execution.labels ?? {});
  const callback = callbackFacts(execution);
  return (
    <Stack gap="lg" maw={720}>
      <Facts title="The run" facts={factsOf(execution)} />
      {labels.length > 0 && (
        <Panel title="Labels">
          <Group gap={6}>
            {labels.map(([name, value]) => (
              <Badge
                key={name}
                component={Link}
                to={`/executions?${new URLSearchParams({ label: `${name}:${value}` })}`}
                variant="default"
                tt="none"
                fw={500}
                style={{ cursor: 'pointer' }}
              >
                {name}: {value}
              </Badge>
            ))}
          </Group>
        </Panel>
      )}
      {callback.length > 0 && <Facts title="Call-back" facts={callback} />}
    </Stack>
  );
}

function Facts({ title, facts }: { title: string; facts: Fact[] }) {
  return (
    <Panel title={title} flush>
      <dl className={classes.list}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
