import { useHotkeys } from '@mantine/hooks';
import { IconMenu2, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation } from 'react-router';
import { lazyPart } from '~/ui/lazyPart';
import { PLACES } from './navigation';
import classes from './Shell.module.css';

const CommandPalette = lazyPart(
  () => import('./CommandPalette'),
  module => module.default,
);

/**
 * The way to the command palette, which is loaded when it is first asked for and listens to its keys from then on. A phone's bar
 * has it for the pages that it leaves out.
 */
export function Commands() {
  const [asked, setAsked] = useState(false);
  // Also from a field: the keys mean nothing else there.
  useHotkeys(asked ? [] : [['mod+K', () => setAsked(true)]], []);
  const { pathname } = useLocation();
  const leadsHere = PLACES.some(({ minor, to }) => minor && pathname.startsWith(to));
  const open = (): void => {
    if (asked) void import('@mantine/spotlight').then(({ spotlight }) => spotlight.open());
    else setAsked(true);
  };
  return (
    <>
      <button
        type="button"
        className={`${classes.link} ${classes.commands}`}
        data-leads-here={leadsHere || undefined}
        onClick={open}
      >
        <span className={classes.find}>
          <IconSearch size={17} stroke={1.8} aria-hidden />
          <span className={classes.label}>Find or do…</span>
        </span>
        <span className={classes.more}>
          <IconMenu2 size={17} stroke={1.8} aria-hidden />
          More
        </span>
      </button>
      {asked && <CommandPalette onGiveUp={() => setAsked(false)} />}
    </>
  );
}
