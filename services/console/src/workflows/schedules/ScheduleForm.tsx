import { Modal, Select, Skeleton, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { schedulesQuery } from '~/api/queries';
import { request } from '~/api/request';
import type { Json, NodeDefinition, Schedule, ScheduleRequest } from '~/api/types';
import { entryOf } from '~/lib/json';
import { missing, type InputValue } from '~/run/inputs';
import { submission } from '~/run/submission';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { SubmitForm } from '~/ui/SubmitForm';
import { fieldOf } from './inputs';
import { inputOf, replaceSchedule } from './request';
import { ScheduleInputs } from './ScheduleInputs';
import { useInputNodes } from './useInputNodes';

const OVERLAPS = [
  { value: 'skip', label: 'leave this one out' },
  { value: 'queue', label: 'begin when it has ended' },
  { value: 'allow', label: 'run beside it' },
] as const;

/** Where the browser is; what the clock of the user says. */
const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

interface Props {
  workflow: string;
  /** The one that is changed; without it, one is made. */
  schedule?: Schedule;
  onClose(): void;
}

/** Makes a schedule of a workflow, or changes one. */
export function ScheduleForm({ workflow, schedule, onClose }: Props) {
  const queries = useQueryClient();
  const [cron, setCron] = useState(schedule?.cron ?? '0 6 * * MON-FRI');
  const [timezone, setTimezone] = useState<string | null>(schedule?.timezone ?? OWN_ZONE);
  const [overlap, setOverlap] = useState<ScheduleRequest['overlap']>(schedule?.overlap ?? 'skip');
  const { inputs, error, refetch } = useInputNodes(workflow, schedule?.version ?? null);
  const [values, setValues] = useState<ReadonlyMap<string, InputValue>>(new Map());
  const before = schedule && inputOf(schedule);
  const valueIn = (given: typeof values, node: NodeDefinition): InputValue =>
    given.get(node.id) ?? fieldOf(node, before && entryOf(before, node.id));
  const valueOf = (node: NodeDefinition): InputValue => valueIn(values, node);
  const lacking = inputs?.filter(({ node }) => missing(node, valueOf(node))) ?? [];
  const save = useMutation({
    mutationFn: async (signal: AbortSignal) => {
      const given = inputs?.map(({ node, isList }) => ({ node, value: valueOf(node), isList }));
      const input = (await submission(given ?? [], {}, signal)).input as { [node: string]: Json };
      const body: ScheduleRequest = { cron: cron.trim(), timezone, overlap, input };
      return schedule
        ? replaceSchedule(schedule, body, signal)
        : request<Schedule>(`/workflows/${workflow}/schedules`, { method: 'POST', body, signal });
    },
    // Also when somebody else has changed it meanwhile, or it was given up too late: the list shows what stands.
    onSettled: () => void queries.invalidateQueries({ queryKey: schedulesQuery(workflow).queryKey }),
  });
  return (
    <Modal opened onClose={onClose} title={schedule ? 'Change the schedule' : 'A new schedule'} size="lg">
      <SubmitForm
        label={schedule ? 'Save' : 'Make the schedule'}
        incomplete={cron.trim() === '' || !inputs || lacking.length > 0}
        send={save}
        onCancel={onClose}
        onDone={onClose}
      >
        <TextInput
          label="When"
          description="minute hour day month weekday, or such as @hourly"
          value={cron}
          data-autofocus
          onChange={event => setCron(event.currentTarget.value)}
        />
        <Select
          label="By the clock of"
          searchable
          data={['UTC', ...Intl.supportedValuesOf('timeZone').filter(zone => zone !== 'UTC')]}
          value={timezone}
          onChange={setTimezone}
        />
        <Select
          label="If the run before still goes on"
          data={[...OVERLAPS]}
          allowDeselect={false}
          value={overlap ?? 'skip'}
          onChange={value => setOverlap(value as ScheduleRequest['overlap'])}
        />
        <div>
          <Text size="sm" fw={600}>
            Input
          </Text>
          <Text size="xs" c="dimmed" mb={8}>
            Every run is given the same.
          </Text>
          {error && <ProblemNotice error={error} onRetry={refetch} />}
          {!inputs && !error && <Skeleton height={80} radius="md" />}
          {inputs && (
            <ScheduleInputs
              inputs={inputs}
              valueOf={valueOf}
              onChange={(node, change) =>
                setValues(now => new Map(now).set(node.id, change(valueIn(now, node))))
              }
            />
          )}
        </div>
        {lacking.length > 0 && (
          <Text size="xs" c="dimmed">
            It still needs {lacking.map(({ node }) => node.id).join(', ')}.
          </Text>
        )}
      </SubmitForm>
    </Modal>
  );
}
