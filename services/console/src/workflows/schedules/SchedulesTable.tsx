import { ActionIcon, Anchor, Switch, Text, Tooltip } from '@mantine/core';
import { IconPencil, IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { schedulesQuery } from '~/api/queries';
import { request } from '~/api/request';
import type { RunAccepted, Schedule } from '~/api/types';
import { useGoToRun } from '~/execution/useGoToRun';
import { formatDate, words } from '~/lib/format';
import { Needs } from '~/login/Needs';
import { DeleteButton } from '~/ui/DeleteButton';
import { notifyProblem } from '~/ui/notify';
import { StatusBadge } from '~/ui/Status';
import { table } from '~/ui/tableClasses';
import { replaceSchedule } from './request';
import { ScheduleForm } from './ScheduleForm';
import classes from './SchedulesTable.module.css';

export function SchedulesTable({ rows }: { rows: Schedule[] }) {
  return (
    <div className={table.wrap}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>When</th>
            <th>Next</th>
            <th className={table.optional}>If it still runs</th>
            <th>Last</th>
            <th>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(schedule => (
            <tr key={schedule.id}>
              <td>
                <span className="mono">{schedule.cron}</span>{' '}
                <span className={table.cell}>{schedule.timezone}</span>
              </td>
              <td className={classes.next}>
                {schedule.next_at == null ? 'switched off' : formatDate(schedule.next_at)}
              </td>
              <td className={`${table.cell} ${table.optional}`}>{words(schedule.overlap)}</td>
              <td>
                <Last schedule={schedule} />
              </td>
              <td className={table.end}>
                <Needs scope="run">
                  <Actions schedule={schedule} />
                </Needs>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Last({ schedule: { last, last_run: run } }: { schedule: Schedule }) {
  if (last?.error) {
    return (
      <Text size="xs" c="var(--state-failed)" lineClamp={2} title={last.error}>
        {last.error}
      </Text>
    );
  }
  if (!run) return <span className={table.cell}>never yet</span>;
  return (
    <Anchor component={Link} to={`/executions/${run.execution_id}`} size="sm">
      <StatusBadge status={run.status} />
    </Anchor>
  );
}

function Actions({ schedule }: { schedule: Schedule }) {
  const queries = useQueryClient();
  const go = useGoToRun();
  const [editing, setEditing] = useState(false);
  const path = `/schedules/${schedule.id}`;
  const list = schedulesQuery(schedule.workflow_id).queryKey;
  const trigger = useMutation({
    mutationFn: () => request<RunAccepted>(`${path}/trigger`, { method: 'POST' }),
    onSuccess: run => go(run.execution_id),
    onError: error => notifyProblem('It was not started', error),
  });
  const change = useMutation({
    mutationFn: (enabled: boolean) => replaceSchedule(schedule, { enabled }),
    onSuccess: () => queries.invalidateQueries({ queryKey: list }),
    onError: error => notifyProblem('It was not changed', error),
  });
  return (
    <div className={classes.actions}>
      <Switch
        size="xs"
        aria-label={`${schedule.cron} is on`}
        checked={schedule.enabled}
        disabled={change.isPending}
        onChange={event => change.mutate(event.currentTarget.checked)}
      />
      <Tooltip label="Run it now">
        <ActionIcon
          aria-label={`Run ${schedule.cron} now`}
          loading={trigger.isPending}
          onClick={() => trigger.mutate()}
        >
          <IconPlayerPlay size={15} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Change">
        <ActionIcon aria-label={`Change ${schedule.cron}`} onClick={() => setEditing(true)}>
          <IconPencil size={15} />
        </ActionIcon>
      </Tooltip>
      <DeleteButton
        name={schedule.cron}
        path={path}
        question={`Delete the schedule ${schedule.cron}? Its runs stay.`}
        done="The schedule is gone; its runs stay"
        list={list}
      />
      {editing && (
        <ScheduleForm workflow={schedule.workflow_id} schedule={schedule} onClose={() => setEditing(false)} />
      )}
    </div>
  );
}
