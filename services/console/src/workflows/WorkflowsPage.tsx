import { Button, Skeleton, Stack, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconPlus, IconSearch, IconTopologyStar3, IconUpload } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { workflowsPage } from '~/api/queries';
import { EmptyState } from '~/ui/EmptyState';
import { NextPage } from '~/ui/NextPage';
import { Page } from '~/ui/Page';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { Examples } from './Examples';
import { NEW_WORKFLOW } from './start';
import { useImport } from './useImport';
import { WorkflowsTable } from './WorkflowsTable';

/** The saved workflows, and examples to start from. */
export function Component() {
  const [search, setSearch] = useState('');
  const importFile = useImport();
  const wanted = search.trim();
  const [name] = useDebouncedValue(wanted, 200);
  const saved = useInfiniteQuery({
    queryKey: ['workflows', 'list', name],
    queryFn: ({ pageParam, signal }) => workflowsPage(name, pageParam, signal),
    placeholderData: keepPreviousData,
    initialPageParam: null as string | null,
    getNextPageParam: page => page.next,
  });
  const all = saved.data?.pages.flatMap(page => page.rows) ?? [];
  // Of what is there already, until the server has said what else there is.
  const rows = all.filter(workflow => workflow.name.toLowerCase().includes(wanted.toLowerCase()));
  const settled = saved.isSuccess && !saved.isPlaceholderData && name === wanted;
  return (
    <Page
      title="Workflows"
      actions={
        <>
          <Button variant="default" leftSection={<IconUpload size={16} />} onClick={importFile}>
            Import
          </Button>
          <Button component={Link} to={NEW_WORKFLOW} leftSection={<IconPlus size={16} />}>
            New workflow
          </Button>
        </>
      }
      toolbar={
        (all.length > 0 || search !== '') && (
          <TextInput
            size="xs"
            w={260}
            aria-label="Search workflows"
            placeholder="Search by name"
            leftSection={<IconSearch size={14} />}
            value={search}
            onChange={event => setSearch(event.currentTarget.value)}
          />
        )
      }
    >
      <Stack gap="xl">
        {saved.error && <ProblemNotice error={saved.error} onRetry={() => void saved.refetch()} />}
        {saved.isPending && <Skeleton height={180} radius="md" />}
        {rows.length > 0 && <WorkflowsTable rows={rows} />}
        <NextPage label="More workflows" list={saved} />
        {settled && rows.length === 0 && (
          <EmptyState
            compact={wanted !== ''}
            icon={IconTopologyStar3}
            title={wanted !== '' ? 'No workflow of that name' : 'No workflow yet'}
          >
            {wanted === '' &&
              'Draw one on an empty canvas, import its JSON, or start from one of the examples below.'}
          </EmptyState>
        )}
        <Examples />
      </Stack>
    </Page>
  );
}
