import { lazy, type ComponentType, type LazyExoticComponent } from 'react';
import type { Definition, Execution } from '~/api/types';

export interface TabProps {
  execution: Execution;
  definition: Definition | undefined;
  onNode(node: string): void;
}

export type TabName = 'graph' | 'timeline' | 'outputs' | 'events';

interface Tab {
  name: TabName;
  label: string;
  /** Null for the graph, which is there at once. */
  Content: LazyExoticComponent<ComponentType<TabProps>> | null;
}

/** The views of a run; all but the graph are loaded when they are first looked at. */
export const TABS: Tab[] = [
  { name: 'graph', label: 'Graph', Content: null },
  { name: 'timeline', label: 'Timeline', Content: lazy(() => import('./timeline/TimelineTab')) },
  { name: 'outputs', label: 'Outputs', Content: lazy(() => import('./outputs/OutputsTab')) },
  { name: 'events', label: 'Events', Content: lazy(() => import('./events/EventsTab')) },
];
