import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Scope } from '~/api/types';
import classes from './Needs.module.css';
import { useMay, useWho } from './who';

interface Props {
  scope: Scope;
  /** Buttons; where the caller's key falls short they are switched off, and the reason stands beside them. */
  children: ReactNode;
  /** Takes the whole width. */
  wide?: boolean;
}

/** What not every key may do. */
export function Needs({ scope, children, wide = false }: Props) {
  const who = useWho();
  const may = useMay(scope);
  if (may !== false) return children;
  const why = `This needs a key with the scope ${scope}. Yours, ${who?.name ?? 'the one in use'}, has ${who?.scope}.`;
  return (
    <Tooltip label={why} events={{ hover: true, focus: true, touch: true }}>
      <fieldset
        disabled
        className={classes.needs}
        data-wide={wide || undefined}
        tabIndex={0}
        aria-label={why}
      >
        {children}
      </fieldset>
    </Tooltip>
  );
}
