import {
  IconAlertTriangle,
  IconBox,
  IconHistory,
  IconKey,
  IconLayoutDashboard,
  IconListDetails,
  IconServer2,
  IconStack2,
  IconTopologyStar3,
  IconVectorTriangle,
  type Icon,
} from '@tabler/icons-react';

export interface Place {
  to: string;
  label: string;
  icon: Icon;
  /** The key after `g` that leads there. */
  shortcut: string;
  group: 'Build' | 'Watch' | 'Operate';
  /** Left out of a phone's bar, where it is under “More”. */
  minor?: boolean;
}

export const PLACES: Place[] = [
  { to: '/workflows', label: 'Workflows', icon: IconTopologyStar3, shortcut: 'w', group: 'Build' },
  { to: '/', label: 'Overview', icon: IconLayoutDashboard, shortcut: 'o', group: 'Watch' },
  { to: '/executions', label: 'Executions', icon: IconHistory, shortcut: 'e', group: 'Watch' },
  { to: '/failures', label: 'Failures', icon: IconAlertTriangle, shortcut: 'f', group: 'Watch' },
  { to: '/queues', label: 'Queues', icon: IconStack2, shortcut: 'q', group: 'Operate', minor: true },
  { to: '/workers', label: 'Workers', icon: IconServer2, shortcut: 'k', group: 'Operate' },
  { to: '/models', label: 'Models', icon: IconBox, shortcut: 'm', group: 'Operate', minor: true },
  {
    to: '/collections',
    label: 'Collections',
    icon: IconVectorTriangle,
    shortcut: 'c',
    group: 'Operate',
    minor: true,
  },
  { to: '/keys', label: 'Keys', icon: IconKey, shortcut: 'a', group: 'Operate', minor: true },
  { to: '/changes', label: 'Changes', icon: IconListDetails, shortcut: 'h', group: 'Operate', minor: true },
];
