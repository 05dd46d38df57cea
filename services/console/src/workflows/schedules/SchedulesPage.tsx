import { Button, Skeleton, Stack } from '@mantine/core';
import { IconCalendarClock, IconPencil, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { schedulesQuery, workflowQuery } from '~/api/queries';
import { Needs } from '~/login/Needs';
import { EmptyState } from '~/ui/EmptyState';
import { Page } from '~/ui/Page';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { ScheduleForm } from './ScheduleForm';
import { SchedulesTable } from './SchedulesTable';

/** When a workflow runs by itself. */
export function Component() {
  const { id = '' } = useParams();
  const workflow = useQuery(workflowQuery(id));
  const schedules = useQuery(schedulesQuery(id));
  const [making, setMaking] = useState(false);
  const error = workflow.error ?? schedules.error;
  return (
    <Page
      title={`${workflow.data?.name ?? 'Workflow'}: schedules`}
      actions={
        <>
          <Button
            component={Link}
            to={`/workflows/${id}`}
            variant="default"
            leftSection={<IconPencil size={15} />}
          >
            Edit
          </Button>
          <Needs scope="run">
            <Button leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>
              New schedule
            </Button>
          </Needs>
        </>
      }
    >
      <Stack>
        {error && (
          <ProblemNotice
            error={error}
            onRetry={() => void Promise.all([workflow.refetch(), schedules.refetch()])}
          />
        )}
        {schedules.isPending && <Skeleton height={160} radius="md" />}
        {schedules.data?.length === 0 && (
          <EmptyState icon={IconCalendarClock} title="It runs when it is asked to">
            A schedule runs it by the clock, with an input that is always the same.
          </EmptyState>
        )}
        {schedules.data && schedules.data.length > 0 && <SchedulesTable rows={schedules.data} />}
      </Stack>
      {making && <ScheduleForm workflow={id} onClose={() => setMaking(false)} />}
    </Page>
  );
}
