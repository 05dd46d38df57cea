import { Skeleton, Tabs } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconHistoryOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { useParams } from 'react-router';
import { useStore } from 'zustand';
import { blocksQuery, definitionQuery, executionQuery } from '~/api/queries';
import { isMissing } from '~/api/request';
import { PageLoading } from '~/app/PageLoading';
import { catalogueOf } from '~/graph/ports';
import { words } from '~/lib/format';
import { useAddress } from '~/lib/useAddress';
import { EmptyState } from '~/ui/EmptyState';
import { lazyPart } from '~/ui/lazyPart';
import { ProblemNotice } from '~/ui/ProblemNotice';
import classes from './ExecutionPage.module.css';
import { ExecutionHeader } from './ExecutionHeader';
import { LiveContext, useLive } from './live/context';
import { isTerminal } from './live/state';
import { createLiveStore, watch } from './live/store';
import { TABS, type TabName } from './tabs';
import { useRerun } from './useRunActions';
import { useRunStatus } from './useRunStatus';
import { useLookWhileQuiet } from './useLookWhileQuiet';
import { useShownNode } from './useShownNode';

const RunGraph = lazyPart(
  () => import('./graph/RunGraph'),
  module => module.RunGraph,
  <Skeleton height="100%" radius={0} />,
);
const NodePanel = lazyPart(
  () => import('./panel/NodePanel'),
  module => module.NodePanel,
);

export function Component() {
  const { id = '' } = useParams();
  return <Watched key={id} id={id} />;
}

/** One run, watched from its snapshot on. */
function Watched({ id }: { id: string }) {
  const store = useMemo(() => createLiveStore(id), [id]);
  const page = useQuery(executionQuery(id));
  const missing = isMissing(page.error);
  const exists = page.data !== undefined && !missing;
  // The stream of a run that does not exist would be tried again and again.
  useEffect(() => (exists ? watch(store) : undefined), [store, exists]);
  const gone = useStore(store, live => live.connection === 'gone');
  const { refetch } = page;
  useEffect(() => {
    if (gone) void refetch();
  }, [gone, refetch]);
  if (missing) {
    return (
      <EmptyState icon={IconHistoryOff} title="There is no such run">
        It may have been deleted, or its time in the record is over.
      </EmptyState>
    );
  }
  if (page.error && !page.data) {
    return (
      <div className={classes.notice}>
        <ProblemNotice error={page.error} onRetry={() => void refetch()} />
      </div>
    );
  }
  if (!page.data) return <PageLoading />;
  return (
    <LiveContext value={store}>
      <Run id={id} digest={page.data.definition} />
    </LiveContext>
  );
}

function Run({ id, digest }: { id: string; digest: string | null | undefined }) {
  const { params, set, setAll } = useAddress();
  const definition = useQuery(definitionQuery(digest));
  const blocks = useQuery(blocksQuery());
  const page = useQuery(executionQuery(id));
  const status = useRunStatus(page.data);
  const { refetch } = page;
  const over = useLive(live => isTerminal(live.run.status));
  // What only the record knows (cost, jobs, resolved outputs) is read once more when the run has ended.
  useEffect(() => {
    if (over) void refetch();
  }, [over, refetch]);
  useLookWhileQuiet({
    over: isTerminal(status),
    look: () => void refetch(),
    isInDoubt: () => page.data?.unserved != null,
  });
  const catalogue = useMemo(() => catalogueOf(blocks.data ?? []), [blocks.data]);
  const name = definition.data?.name ?? 'Run';
  useDocumentTitle(`${name} ${words(status)} · Millrace`);
  const tab = (params.get('tab') ?? 'graph') as TabName;
  const { node, show } = useShownNode();
  /** Shows a node on the graph, whatever view was open. */
  const openNode = (one: string): void => setAll({ node: one });
  const rerun = useRerun(id);
  const ready = definition.data && blocks.data;
  return (
    <div className={classes.page}>
      <ExecutionHeader
        name={name}
        execution={page.data}
        definition={definition.data}
        selected={node}
        rerun={rerun}
      />
      <Tabs
        value={tab}
        onChange={value => set('tab', value === 'graph' ? null : value)}
        className={classes.tabs}
        keepMounted={false}
      >
        <Tabs.List className={classes.tablist}>
          {TABS.map(({ name: value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {definition.error && (
          <div className={classes.notice}>
            <ProblemNotice error={definition.error} onRetry={() => void definition.refetch()} />
          </div>
        )}
        <Tabs.Panel value="graph" className={classes.graph}>
          <div className={classes.canvas}>
            {ready ? (
              <RunGraph definition={definition.data} catalogue={catalogue} selected={node} onSelect={show} />
            ) : (
              <Skeleton height="100%" radius={0} />
            )}
          </div>
          {node && ready && (
            <NodePanel
              key={node}
              node={node}
              definition={definition.data}
              rerun={rerun}
              onClose={() => show(null)}
            />
          )}
        </Tabs.Panel>
        {TABS.map(({ name: value, Content }) =>
          Content && page.data ? (
            <Tabs.Panel key={value} value={value} className={classes.content}>
              <Content execution={page.data} definition={definition.data} onNode={openNode} />
            </Tabs.Panel>
          ) : null,
        )}
      </Tabs>
    </div>
  );
}
