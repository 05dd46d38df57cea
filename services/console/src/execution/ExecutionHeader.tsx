import { ActionIcon, Badge, Button, Menu, Tooltip } from '@mantine/core';
import { IconChevronDown, IconClock, IconGitCompare, IconPlayerStop, IconRefresh } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Definition, Execution } from '~/api/types';
import { DeleteRun } from '~/executions/DeleteRun';
import { shortId } from '~/lib/format';
import { useGoFromHere } from '~/lib/useLeaving';
import { Needs } from '~/login/Needs';
import { CopyText } from '~/ui/CopyText';
import { RelativeTime } from '~/ui/RelativeTime';
import { StatusBadge } from '~/ui/Status';
import { Ticking } from '~/ui/Ticking';
import { ConnectionMark } from './ConnectionMark';
import { EditButton } from './EditButton';
import classes from './ExecutionHeader.module.css';
import { useLive } from './live/context';
import { isTerminal } from './live/state';
import { ProgressBar } from './ProgressBar';
import { RunError } from './RunError';
import { Unserved } from './Unserved';
import { useCancel, type Rerun } from './useRunActions';
import { useRunStatus } from './useRunStatus';

interface Props {
  name: string;
  execution: Execution | undefined;
  definition: Definition | undefined;
  selected: string | null;
  rerun: Rerun;
}

/** What the run is, how it stands, and what can be done about it. */
export function ExecutionHeader({ name, execution, definition, selected, rerun }: Props) {
  const id = useLive(live => live.run.id);
  const status = useRunStatus(execution);
  const startedAt = useLive(live => live.run.startedAt) ?? execution?.started_at ?? null;
  const completedAt = useLive(live => live.run.completedAt) ?? execution?.completed_at ?? null;
  const error = useLive(live => live.run.error) ?? execution?.error;
  const go = useGoFromHere();
  const cancel = useCancel(id);
  const over = isTerminal(status);
  return (
    <header className={classes.header}>
      <div className={classes.row}>
        <h1 className={classes.title}>
          {execution?.workflow_id ? <Link to={`/workflows/${execution.workflow_id}`}>{name}</Link> : name}
        </h1>
        <StatusBadge status={status} />
        {execution?.version && <span className={classes.meta}>v{execution.version}</span>}
        {startedAt !== null && (
          <span className={classes.meta}>
            <IconClock size={14} aria-hidden />{' '}
            <Ticking from={startedAt} to={over ? (completedAt ?? startedAt) : null} />
          </span>
        )}
        {execution?.created_at != null && (
          <span className={classes.meta}>
            <RelativeTime at={execution.created_at} />
          </span>
        )}
        <span className={`${classes.meta} ${classes.optional}`}>
          <CopyText text={id} shown={shortId(id)} label="the run's id" />
        </span>
        {execution?.rerun_of && (
          <Badge
            component={Link}
            to={`/executions/${execution.rerun_of.execution_id}`}
            variant="default"
            tt="none"
            fw={500}
            style={{ cursor: 'pointer' }}
          >
            rerun of {shortId(execution.rerun_of.execution_id)}
          </Badge>
        )}
        <ConnectionMark />
        <span className={classes.actions}>
          {!over && (
            <Needs scope="run">
              <Button
                color="red"
                variant="light"
                size="xs"
                leftSection={<IconPlayerStop size={15} />}
                loading={cancel.isPending}
                onClick={() => cancel.mutate()}
              >
                Cancel
              </Button>
            </Needs>
          )}
          {over && execution?.rerun_of && (
            <Tooltip label="Compare with the run it repeats">
              <ActionIcon
                component={Link}
                to={`/executions/compare?a=${execution.rerun_of.execution_id}&b=${id}`}
                variant="default"
                size={30}
                aria-label="Compare"
              >
                <IconGitCompare size={15} />
              </ActionIcon>
            </Tooltip>
          )}
          {over && (
            <Needs scope="run">
              <Button.Group>
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<IconRefresh size={15} />}
                  loading={rerun.isPending}
                  onClick={() => rerun.mutate(undefined)}
                >
                  Run again
                </Button>
                <Menu position="bottom-end">
                  <Menu.Target>
                    <Button size="xs" variant="default" px={6} aria-label="Other ways to run again">
                      <IconChevronDown size={14} />
                    </Button>
                  </Menu.Target>
                  <Menu.Dropdown>
                    <Menu.Label>Reuse what is before a node</Menu.Label>
                    <Menu.Item disabled={!selected} onClick={() => selected && rerun.mutate(selected)}>
                      {selected ? `From ${selected}` : 'From the node that is selected'}
                    </Menu.Item>
                  </Menu.Dropdown>
                </Menu>
              </Button.Group>
            </Needs>
          )}
          <DeleteRun framed id={id} status={status} onDone={() => void go('/executions')} />
          <EditButton workflow={execution?.workflow_id} definition={definition} />
        </span>
      </div>
      <ProgressBar definition={definition} recorded={execution?.progress.total ?? 0} />
      {error && <RunError error={error} />}
      {!over && execution?.unserved && <Unserved {...execution.unserved} />}
    </header>
  );
}
