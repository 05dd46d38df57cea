import { Button, Skeleton, Stack, TextInput } from '@mantine/core';
import { IconPlus, IconSearch, IconTopologyStar3, IconUpload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
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
  const saved = useInfiniteQuery({
    queryKey: ['workflows', 'list'],
    queryFn: ({ pageParam, signal }) => workflowsPage(pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: page => page.next,
  });
  const all = saved.data?.pages.flatMap(page => page.rows) ?? [];
  const rows = all.filter(workflow => workflow.name.toLowerCase().includes(search.trim().toLowerCase()));
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
        all.length > 0 && (
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
        {saved.isSuccess && rows.length === 0 && (
          <EmptyState
            compact={all.length > 0}
            icon={IconTopologyStar3}
            title={all.length > 0 ? 'No workflow of that name' : 'No workflow yet'}
          >
            {all.length === 0 &&
              'Draw one on an empty canvas, import its JSON, or start from one of the examples below.'}
          </EmptyState>
        )}
        <Examples />
      </Stack>
    </Page>
  );
}
