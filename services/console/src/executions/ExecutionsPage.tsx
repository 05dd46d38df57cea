import { Box, Button, Checkbox, Select, Skeleton, Stack, TextInput } from '@mantine/core';
import { IconGitCompare, IconHistory } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { executionsPage } from '~/api/queries';
import { goesOn } from '~/lib/newestPages';
import { useAddress } from '~/lib/useAddress';
import { useAddressText } from '~/lib/useAddressText';
import { useMay } from '~/login/who';
import { EmptyState } from '~/ui/EmptyState';
import { OlderPages } from '~/ui/OlderPages';
import { Page } from '~/ui/Page';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { words } from '~/lib/format';
import { DeleteRun } from './DeleteRun';
import classes from './ExecutionsPage.module.css';
import { ExecutionsTable } from './ExecutionsTable';
import { wholeLabel } from './label';
import { WorkflowFilter } from './WorkflowFilter';

const STATUSES = ['pending', 'running', 'completed', 'failed', 'cancelled', 'timed_out'];

/** Every run, newest first. */
export function Component() {
  const { params, set, setParams } = useAddress();
  const navigate = useNavigate();
  const may = useMay('run');
  const [chosen, setChosen] = useState<string[]>([]);
  const [label, setLabel] = useAddressText('label');
  const filter = {
    status: params.get('status') ?? undefined,
    workflow_id: params.get('workflow_id') ?? undefined,
    label: wholeLabel(params.get('label') ?? ''),
  };
  const queryKey = ['executions', 'list', filter];
  const runs = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => executionsPage(filter, pageParam, signal),
    placeholderData: keepPreviousData,
    initialPageParam: null as string | null,
    getNextPageParam: page => page.next,
    ...goesOn(4_000),
  });
  const rows = runs.data?.pages.flatMap(page => page.rows) ?? [];
  const filtered = [...params.keys()].length > 0;
  const toggle = (id: string): void =>
    setChosen(chosen.includes(id) ? chosen.filter(one => one !== id) : [...chosen.slice(-1), id]);
  return (
    <Page
      title="Executions"
      actions={
        <Button
          variant="default"
          leftSection={<IconGitCompare size={16} />}
          disabled={chosen.length !== 2}
          title="Choose two runs to compare them"
          onClick={() => void navigate(`/executions/compare?a=${chosen[0]}&b=${chosen[1]}`)}
        >
          Compare
        </Button>
      }
      toolbar={
        <>
          <Select
            size="xs"
            aria-label="Status"
            placeholder="Any status"
            clearable
            data={STATUSES.map(value => ({ value, label: words(value) }))}
            value={filter.status ?? null}
            onChange={value => set('status', value)}
            w={150}
          />
          <WorkflowFilter value={filter.workflow_id ?? null} onChange={value => set('workflow_id', value)} />
          <TextInput
            size="xs"
            aria-label="Label"
            placeholder="label, as in team:vision"
            value={label}
            description={label !== '' && wholeLabel(label) === undefined && 'name:value'}
            inputWrapperOrder={['input', 'description']}
            classNames={{ root: classes.label, description: classes.wanted }}
            onChange={event => setLabel(event.currentTarget.value)}
            w={190}
          />
        </>
      }
    >
      {runs.error && (
        <Box mb="md">
          <ProblemNotice error={runs.error} onRetry={() => void runs.refetch()} />
        </Box>
      )}
      {runs.isPending && <Loading />}
      {runs.isSuccess && rows.length === 0 && (
        <EmptyState
          icon={IconHistory}
          title={filtered ? 'No run matches' : 'Nothing has run yet'}
          action={
            filtered ? (
              <Button variant="default" onClick={() => setParams({})}>
                Show all
              </Button>
            ) : (
              <Button component={Link} to="/workflows">
                Go to the workflows
              </Button>
            )
          }
        >
          {filtered
            ? 'Widen the filters.'
            : 'Run a workflow, and it can be watched here, live and afterwards.'}
        </EmptyState>
      )}
      {rows.length > 0 && (
        <Stack>
          <ExecutionsTable
            rows={rows}
            leading={id => (
              <Checkbox
                size="xs"
                aria-label={`Choose run ${id} for comparing`}
                checked={chosen.includes(id)}
                onChange={() => toggle(id)}
              />
            )}
            trailing={
              may === false
                ? undefined
                : run => (
                    <DeleteRun
                      id={run.execution_id}
                      status={run.status}
                      onDone={() => setChosen(chosen.filter(one => one !== run.execution_id))}
                    />
                  )
            }
          />
          <OlderPages label="Older runs" queryKey={queryKey} list={runs} />
        </Stack>
      )}
    </Page>
  );
}

function Loading() {
  return (
    <Stack gap="xs" aria-label="Loading" role="status">
      {Array.from({ length: 8 }, (_, index) => (
        <Skeleton key={index} height={40} radius="md" />
      ))}
    </Stack>
  );
}
