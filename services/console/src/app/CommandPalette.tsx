import '@mantine/spotlight/styles.css';
import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, spotlight, type SpotlightActionData } from '@mantine/spotlight';
import {
  IconArrowRight,
  IconContrast,
  IconLogout,
  IconPlus,
  IconSearch,
  IconTopologyStar3,
} from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { workflowsPage } from '~/api/queries';
import { logOut } from '~/login/session';
import { useWho } from '~/login/who';
import { NEW_WORKFLOW } from '~/workflows/start';
import { PLACES } from './navigation';

/** Ctrl-K: pages, workflows, and a run by its id. */
export default function CommandPalette() {
  const navigate = useNavigate();
  const [query, setQuery] = useState('');
  const [opened, setOpened] = useState(false);
  // It is loaded by being asked for.
  useEffect(() => spotlight.open(), []);
  const [name] = useDebouncedValue(query.trim(), 150);
  const workflows = useQuery({
    queryKey: ['workflows', 'named', name],
    queryFn: ({ signal }) => workflowsPage(name, null, signal),
    enabled: opened,
    placeholderData: keepPreviousData,
  });
  const go = (to: string) => () => void navigate(to);
  const pages: SpotlightActionData[] = PLACES.map(({ to, label, icon: Icon }) => ({
    id: to,
    label,
    onClick: go(to),
    leftSection: <Icon size={18} stroke={1.7} />,
  }));
  const create: SpotlightActionData = {
    id: 'new',
    label: 'New workflow',
    onClick: go(NEW_WORKFLOW),
    leftSection: <IconPlus size={18} stroke={1.7} />,
  };
  const saved: SpotlightActionData[] = (workflows.data?.rows ?? []).map(workflow => ({
    id: workflow.id,
    label: workflow.name,
    description: `version ${workflow.version}`,
    onClick: go(`/workflows/${workflow.id}`),
    leftSection: <IconTopologyStar3 size={18} stroke={1.7} />,
  }));
  const { setColorScheme } = useMantineColorScheme();
  const other = useComputedColorScheme('light') === 'dark' ? 'light' : 'dark';
  const scheme: SpotlightActionData = {
    id: 'scheme',
    label: other === 'dark' ? 'Dark colours' : 'Light colours',
    onClick: () => setColorScheme(other),
    leftSection: <IconContrast size={18} stroke={1.7} />,
  };
  const leave: SpotlightActionData = {
    id: 'leave',
    label: 'Log out',
    onClick: () => void logOut(),
    leftSection: <IconLogout size={18} stroke={1.7} />,
  };
  const guarded = useWho()?.guarded ?? false;
  const isId = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(query.trim());
  const run: SpotlightActionData = {
    id: 'run',
    label: `Open the run ${query.trim()}`,
    onClick: go(`/executions/${query.trim()}`),
    leftSection: <IconArrowRight size={18} stroke={1.7} />,
  };
  return (
    <Spotlight
      actions={[...(isId ? [run] : []), ...pages, create, scheme, ...(guarded ? [leave] : []), ...saved]}
      query={query}
      onQueryChange={setQuery}
      onSpotlightOpen={() => setOpened(true)}
      nothingFound="Nothing of that name"
      highlightQuery
      scrollable
      maxHeight={420}
      shortcut="mod + K"
      tagsToIgnore={[]}
      searchProps={{
        leftSection: <IconSearch size={18} stroke={1.7} />,
        placeholder: 'A page, a workflow, the id of a run…',
        'aria-label': 'Find or do',
      }}
    />
  );
}
