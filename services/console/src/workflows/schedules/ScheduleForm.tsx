import { Modal, Select, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { schedulesQuery } from '~/api/queries';
import { request } from '~/api/request';
import type { Json, Schedule, ScheduleRequest } from '~/api/types';
import { JsonField } from '~/editor/form/JsonField';
import { isObject } from '~/lib/json';
import { SubmitForm } from '~/ui/SubmitForm';
import { inputOf, replaceSchedule } from './request';

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
  const [input, setInput] = useState<Json | undefined>(schedule && inputOf(schedule));
  const given = input === undefined ? {} : isObject(input) ? input : null;
  const save = useMutation({
    mutationFn: () => {
      const body: ScheduleRequest = { cron: cron.trim(), timezone, overlap, input: given };
      return schedule
        ? replaceSchedule(schedule, body)
        : request<Schedule>(`/workflows/${workflow}/schedules`, { method: 'POST', body });
    },
    onSuccess: onClose,
    // Also when somebody else has changed it meanwhile: the list shows what stands.
    onSettled: () => queries.invalidateQueries({ queryKey: schedulesQuery(workflow).queryKey }),
  });
  return (
    <Modal opened onClose={onClose} title={schedule ? 'Change the schedule' : 'A new schedule'}>
      <SubmitForm
        label={schedule ? 'Save' : 'Make the schedule'}
        incomplete={cron.trim() === '' || given === null}
        send={save}
        onCancel={onClose}
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
          <Text size="sm" fw={500}>
            Input
          </Text>
          <Text size="xs" c="dimmed" mb={4}>
            By input node, as JSON. A picture is an address, or blob: and its SHA-256.
          </Text>
          <JsonField label="Input" value={input} fallback={{}} onChange={setInput} />
          {given === null && (
            <Text size="xs" c="var(--state-failed)">
              This is no JSON object; write such as {'{"min": 0.5}'}.
            </Text>
          )}
        </div>
      </SubmitForm>
    </Modal>
  );
}
