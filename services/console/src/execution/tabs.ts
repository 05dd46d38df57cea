import { Skeleton } from '@mantine/core';
import { createElement, type ComponentType } from 'react';
import type { Definition, Execution } from '~/api/types';
import { lazyPart } from '~/ui/lazyPart';

export interface TabProps {
  execution: Execution;
  definition: Definition | undefined;
  onNode(node: string): void;
}

export type TabName = 'graph' | 'timeline' | 'outputs' | 'events' | 'facts';

interface Tab {
  name: TabName;
  label: string;
  /** Null for the graph, which is there at once. */
  Content: ComponentType<TabProps> | null;
}

const part = (load: () => Promise<{ default: ComponentType<TabProps> }>) =>
  lazyPart(load, module => module.default, createElement(Skeleton, { height: '100%', radius: 0 }));

/** The views of a run; all but the graph are loaded when they are first looked at. */
export const TABS: Tab[] = [
  { name: 'graph', label: 'Graph', Content: null },
  { name: 'timeline', label: 'Timeline', Content: part(() => import('./timeline/TimelineTab')) },
  { name: 'outputs', label: 'Outputs', Content: part(() => import('./outputs/OutputsTab')) },
  { name: 'events', label: 'Events', Content: part(() => import('./events/EventsTab')) },
  { name: 'facts', label: 'Details', Content: part(() => import('./facts/FactsTab')) },
];
