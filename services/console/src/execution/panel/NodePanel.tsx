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
import { PortValue } from '../outputs/PortValue';
import { RunError } from '../RunError';
import type { Rerun } from '../useRunActions';
import { ItemList } from './ItemList';
import { Metrics } from './Metrics';
import classes from './NodePanel.module.css';

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
            {isLoop && (
              <Text size="sm" c="dimmed" mb="sm">
                {path === null
                  ? 'This node runs once per item. Choose one under Items to see what it gave; the last one that changed is below.'
                  : `Item ${path}`}
              </Text>
            )}
            <Result run={shown ?? state?.latest} />
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

function Result({ run }: { run: NodeRun | undefined }) {
  if (!run) {
    return (
      <Text size="sm" c="dimmed">
        Nothing has happened here yet: it waits for what comes before it.
      </Text>
    );
  }
  const outputs = Object.entries(run.outputs ?? {});
  return (
    <Stack gap="md">
      {run.error && <RunError error={run.error} linkNode={false} />}
      <Metrics run={run} />
      {outputs.map(([name, value]) => (
        <section key={name} aria-label={name}>
          <Text size="xs" fw={600} mb={4}>
            {name}
          </Text>
          <PortValue name={name} value={value} path={run.path} />
        </section>
      ))}
      {run.skipped_ports && run.skipped_ports.length > 0 && (
        <Text size="sm" c="dimmed">
          Not taken: {run.skipped_ports.join(', ')}
        </Text>
      )}
    </Stack>
  );
}
