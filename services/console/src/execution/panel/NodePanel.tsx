import { ActionIcon, Badge, Button, ScrollArea, Stack, Tabs, Text, Tooltip } from '@mantine/core';
import { IconRefresh, IconX } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { Definition, NodeRun } from '~/api/types';
import { formatCount } from '~/lib/format';
import { Needs } from '~/login/Needs';
import { JsonTree } from '~/ui/JsonTree';
import { StatusBadge } from '~/ui/Status';
import { useLive } from '../live/context';
import { isTerminal, statusOf } from '../live/state';
import { RunError } from '../RunError';
import type { Rerun } from '../useRunActions';
import { Given } from './Given';
import { ItemList } from './ItemList';
import { Metrics } from './Metrics';
import classes from './NodePanel.module.css';
import { Ports } from './Ports';

interface Props {
  node: string;
  definition: Definition;
  rerun: Rerun;
  onClose(): void;
}

/** All there is to know about one node of the run. */
export function NodePanel({ node: id, definition, rerun, onClose }: Props) {
  const state = useLive(live => live.run.nodes.get(id));
  const over = useLive(live => isTerminal(live.run.status));
  const [path, setPath] = useState<string | null>(null);
  const placed = useMemo(() => definition.nodes.find(node => node.id === id), [definition, id]);
  const isLoop = (state?.total ?? 0) > 1;
  const shown: NodeRun | undefined =
    path === null ? (isLoop ? undefined : state?.latest) : state?.runs.get(path);
  const run = shown ?? state?.latest;
  return (
    <aside className={classes.panel} aria-label={`Node ${id}`}>
      <header className={classes.header}>
        <div className={classes.titles}>
          <h2>{id}</h2>
          <Text size="xs" c="dimmed">
            {state?.latest.block || placed?.type}
          </Text>
        </div>
        {state && <StatusBadge status={statusOf(state)} />}
        <Tooltip label="Close">
          <ActionIcon onClick={onClose} aria-label="Close the node's panel">
            <IconX size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      <Tabs defaultValue="result" className={classes.tabs} keepMounted={false}>
        <Tabs.List px="sm">
          <Tabs.Tab value="result">Result</Tabs.Tab>
          <Tabs.Tab value="given">Inputs</Tabs.Tab>
          {isLoop && (
            <Tabs.Tab
              value="items"
              rightSection={
                <Badge size="xs" variant="default">
                  {formatCount(state?.total)}
                </Badge>
              }
            >
              Items
            </Tabs.Tab>
          )}
          <Tabs.Tab value="settings">Settings</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="items" className={classes.items}>
          {state && <ItemList state={state} selected={path} onSelect={setPath} />}
        </Tabs.Panel>
        <ScrollArea className={classes.scroll} type="hover" viewportProps={{ tabIndex: 0 }}>
          <Tabs.Panel value="result" p="md">
            {isLoop && <Which path={path} />}
            <Result run={run} />
          </Tabs.Panel>
          <Tabs.Panel value="given" p="md">
            {isLoop && <Which path={path} />}
            <Stack gap="md">{run ? <Given run={run} /> : <Nothing />}</Stack>
          </Tabs.Panel>
          <Tabs.Panel value="items" p="md">
            {path !== null && <Result run={shown} />}
          </Tabs.Panel>
          <Tabs.Panel value="settings" p="md">
            {placed && (
              <JsonTree value={JSON.parse(JSON.stringify(placed))} open={3} label="The node's definition" />
            )}
          </Tabs.Panel>
        </ScrollArea>
      </Tabs>
      {over && (
        <footer className={classes.footer}>
          <Needs scope="run" wide>
            <Button
              fullWidth
              size="xs"
              variant="default"
              leftSection={<IconRefresh size={14} />}
              loading={rerun.isPending}
              onClick={() => rerun.mutate(id)}
            >
              Rerun from here
            </Button>
          </Needs>
        </footer>
      )}
    </aside>
  );
}

/** Which of the items it is that is shown. */
function Which({ path }: { path: string | null }) {
  return (
    <Text size="sm" c="dimmed" mb="sm">
      {path === null
        ? 'This node runs once per item. Choose one under Items to see what it gave; the last one that changed is below.'
        : `Item ${path}`}
    </Text>
  );
}

function Nothing() {
  return (
    <Text size="sm" c="dimmed">
      Nothing has happened here yet: it waits for what comes before it.
    </Text>
  );
}

function Result({ run }: { run: NodeRun | undefined }) {
  if (!run) return <Nothing />;
  return (
    <Stack gap="md">
      {run.error && <RunError error={run.error} linkNode={false} />}
      <Metrics run={run} />
      <Ports values={run.outputs ?? {}} path={run.path} />
      {run.skipped_ports && run.skipped_ports.length > 0 && (
        <Text size="sm" c="dimmed">
          Not taken: {run.skipped_ports.join(', ')}
        </Text>
      )}
    </Stack>
  );
}
