import { ActionIcon, Menu } from '@mantine/core';
import {
  IconCalendarClock,
  IconCopy,
  IconDots,
  IconDownload,
  IconGitBranch,
  IconHistory,
  IconTrash,
} from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { workflowQuery } from '~/api/queries';
import { request } from '~/api/request';
import type { WorkflowSummary } from '~/api/types';
import { download } from '~/lib/download';
import { useGoFromHere } from '~/lib/useLeaving';
import { useMay } from '~/login/who';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { startWith } from './start';

/** What can be done with a saved workflow; it opens at once, as it was asked for. */
export default function RowMenu({ workflow }: { workflow: WorkflowSummary }) {
  const go = useGoFromHere();
  const queries = useQueryClient();
  const may = useMay('run');
  const remove = useMutation({
    mutationFn: () => request(`/workflows/${workflow.id}`, { method: 'DELETE' }),
    onSuccess: () => {
      notifyDone(`${workflow.name} was deleted; its runs stay`);
      return queries.invalidateQueries({ queryKey: ['workflows'] });
    },
    onError: error => notifyProblem('It was not deleted', error),
  });
  const withDefinition = async (then: (definition: object) => void): Promise<void> => {
    try {
      then((await queries.fetchQuery(workflowQuery(workflow.id))).definition);
    } catch (error) {
      notifyProblem('The workflow could not be read', error);
    }
  };
  return (
    <Menu position="bottom-end" withinPortal defaultOpened>
      <Menu.Target>
        <ActionIcon aria-label={`What to do with ${workflow.name}`}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          component={Link}
          to={`/executions?workflow_id=${workflow.id}`}
          leftSection={<IconHistory size={15} />}
        >
          Its runs
        </Menu.Item>
        <Menu.Item
          component={Link}
          to={`/workflows/${workflow.id}/versions`}
          leftSection={<IconGitBranch size={15} />}
        >
          Versions
        </Menu.Item>
        <Menu.Item
          component={Link}
          to={`/workflows/${workflow.id}/schedules`}
          leftSection={<IconCalendarClock size={15} />}
        >
          Schedules
        </Menu.Item>
        <Menu.Item
          leftSection={<IconCopy size={15} />}
          onClick={() =>
            void withDefinition(
              definition => void go(startWith({ nodes: [], ...definition, name: `${workflow.name} copy` })),
            )
          }
        >
          Duplicate
        </Menu.Item>
        <Menu.Item
          leftSection={<IconDownload size={15} />}
          onClick={() => void withDefinition(definition => download(`${workflow.name}.json`, definition))}
        >
          Export JSON
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          color="red"
          leftSection={<IconTrash size={15} />}
          rightSection={may === false && <small>needs a key with run</small>}
          disabled={may === false}
          onClick={() => {
            if (window.confirm(`Delete ${workflow.name}? Its runs stay.`)) remove.mutate();
          }}
        >
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
