import { IconHistory, IconTopologyStar3, type Icon } from '@tabler/icons-react';

export interface Place {
  to: string;
  label: string;
  icon: Icon;
  /** The key after `g` that leads there. */
  shortcut: string;
  group: 'Build' | 'Watch' | 'Operate';
}

export const PLACES: Place[] = [
  { to: '/workflows', label: 'Workflows', icon: IconTopologyStar3, shortcut: 'w', group: 'Build' },
  { to: '/executions', label: 'Executions', icon: IconHistory, shortcut: 'e', group: 'Watch' },
];
