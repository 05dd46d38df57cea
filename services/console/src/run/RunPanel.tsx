import {
  Alert,
  Button,
  Collapse,
  Drawer,
  Group,
  NumberInput,
  Select,
  Stack,
  TagsInput,
  Text,
  UnstyledButton,
} from '@mantine/core';
import { IconChevronDown, IconPlayerPlay } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useLocation } from 'react-router';
import { request } from '~/api/request';
import type { JsonObject, NodeDefinition, RunAccepted, WorkflowRecord } from '~/api/types';
import { runsOtherwise, useEditor } from '~/editor/store';
import { isInputNode } from '~/graph/selectors';
import { createSubmissionKeys } from '~/lib/submissionKeys';
import { useGoFromHere, useLeaving } from '~/lib/useLeaving';
import { Needs } from '~/login/Needs';
import { useMay } from '~/login/who';
import { notifyProblem } from '~/ui/notify';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { givenBefore, keepGiven } from './given';
import { defaultValue, isPictureInput, missing, type InputValue } from './inputs';
import type { Origin } from './origin';
import { ParameterField } from './ParameterField';
import { PictureField } from './PictureField';
import { startRun } from './startRun';
import { submission } from './submission';

interface Props {
  /** Where the editor keeps what is not saved. */
  place: string;
  record: WorkflowRecord | null;
  onClose(): void;
}

/** Ends a run that was given up before it was there. */
async function cancelUnseen({ execution_id: id }: RunAccepted): Promise<void> {
  try {
    await request(`/executions/${id}/cancel`, { method: 'POST', body: { reason: 'the panel was closed' } });
  } catch (error) {
    notifyProblem('The run that was given up goes on', error);
  }
}

/** What a run is given, and go. What is on the canvas runs, saved or not. */
export function RunPanel({ place, record, onClose }: Props) {
  const go = useGoFromHere();
  const leaving = useLeaving();
  const { pathname, search } = useLocation();
  const definition = useEditor(state => state.history.present);
  const verdict = useEditor(state => state.verdict);
  const base = useEditor(state => state.base);
  // Work that goes on from an older version may have come to look as the newest does: it is none of the two.
  const saved = useEditor(runsOtherwise) || record?.version !== base ? null : record;
  const may = useMay('run');
  const inputs = useMemo(() => definition.nodes.filter(isInputNode), [definition]);
  const lists = useMemo(
    () => new Set(verdict.inputs.filter(spec => spec.kind.startsWith('list<')).map(spec => spec.name)),
    [verdict],
  );
  // A map: an input may be called `constructor`, which every object has something under.
  const [values, setValues] = useState(() => givenBefore(place, inputs));
  useEffect(() => keepGiven({ place, nodes: inputs, values }), [place, inputs, values]);
  const [options, setOptions] = useState<JsonObject>({});
  const [more, setMore] = useState(false);
  const valueOf = (node: NodeDefinition): InputValue => values.get(node.id) ?? defaultValue(node);
  const set = (node: NodeDefinition, change: (now: InputValue) => InputValue): void =>
    setValues(before => new Map(before).set(node.id, change(before.get(node.id) ?? defaultValue(node))));
  // A second Enter may come before the button is drawn as pressed.
  const starting = useRef(false);
  const [keys] = useState(createSubmissionKeys);
  const start = useMutation({
    // Closing the panel gives it up, uploads and all.
    mutationFn: async (signal: AbortSignal) => {
      const body = await submission(
        inputs.map(node => ({ node, value: valueOf(node), isList: lists.has(node.id) })),
        options,
        signal,
      );
      // The answer is waited for in any case: a run that has begun without it would go on with nobody told.
      const run = await startRun({ definition, saved }, body, keys);
      if (signal.aborted) await cancelUnseen(run);
      return run;
    },
    onSuccess: run => {
      const origin: Origin = { address: pathname + search, place, base };
      return go(`/executions/${run.execution_id}`, { state: { keep: true, origin } });
    },
    onSettled: () => {
      starting.current = false;
    },
  });
  const lacking = inputs.filter(node => missing(node, valueOf(node)));
  const invalid = verdict.state === 'invalid';
  const note = (): string => {
    if (may === false) return 'Your key may look at workflows, and not run them.';
    if (lacking.length > 0) return `It still needs ${lacking.map(node => node.id).join(', ')}.`;
    if (saved) return `Version ${saved.version} runs.`;
    return 'What is on the canvas runs as it is; it need not be saved.';
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={440}
      title={`Run ${definition.name ?? 'workflow'}`}
    >
      <form
        onSubmit={event => {
          event.preventDefault();
          if (starting.current) return;
          starting.current = true;
          start.mutate(leaving());
        }}
      >
        <Stack gap="lg">
          {invalid && (
            <Alert color="red" title="The workflow has mistakes">
              It cannot run as it stands; the marks on the canvas say where and why.
            </Alert>
          )}
          {inputs.length === 0 && (
            <Text size="sm" c="dimmed">
              This workflow takes no input.
            </Text>
          )}
          {inputs.map(node =>
            isPictureInput(node) ? (
              <PictureField
                key={node.id}
                node={node}
                isList={lists.has(node.id) || node.config?.list === true}
                first={node === inputs.find(isPictureInput)}
                value={valueOf(node)}
                onChange={change => set(node, change)}
              />
            ) : (
              <ParameterField
                key={node.id}
                node={node}
                value={valueOf(node)}
                onChange={value => set(node, () => value)}
              />
            ),
          )}
          <UnstyledButton onClick={() => setMore(!more)} aria-expanded={more}>
            <Group gap={6}>
              <IconChevronDown
                size={14}
                style={{ transform: more ? undefined : 'rotate(-90deg)' }}
                aria-hidden
              />
              <Text size="sm">How it runs</Text>
            </Group>
          </UnstyledButton>
          <Collapse expanded={more}>
            <Stack gap="sm">
              <Select
                size="xs"
                label="Priority"
                placeholder="normal"
                clearable
                data={['high', 'normal', 'low']}
                onChange={value => setOptions(before => ({ ...before, priority: value }))}
              />
              <NumberInput
                size="xs"
                label="It may take, ms"
                placeholder="no limit"
                min={1}
                onChange={value =>
                  setOptions(before => ({ ...before, timeout_ms: typeof value === 'number' ? value : null }))
                }
              />
              <TagsInput
                size="xs"
                label="Labels"
                placeholder="team:vision"
                onChange={tags => {
                  const pairs = tags.map(tag => tag.split(/[:=](.*)/s)).filter(([name]) => name);
                  setOptions(before => ({
                    ...before,
                    labels: Object.fromEntries(pairs.map(([name, value]) => [name, value ?? ''])),
                  }));
                }}
              />
            </Stack>
          </Collapse>
          {start.error && <ProblemNotice error={start.error} />}
          <Needs scope="run" wide>
            <Button
              type="submit"
              size="md"
              leftSection={<IconPlayerPlay size={17} />}
              loading={start.isPending}
              disabled={lacking.length > 0 || invalid}
            >
              Run
            </Button>
          </Needs>
          <Text size="xs" c="dimmed" ta="center">
            {note()}
          </Text>
        </Stack>
      </form>
    </Drawer>
  );
}
