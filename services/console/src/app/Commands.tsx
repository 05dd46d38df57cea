import { useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { lazyPart } from '~/ui/lazyPart';
import classes from './Shell.module.css';

const CommandPalette = lazyPart(
  () => import('./CommandPalette'),
  module => module.default,
);

/** The way to the command palette, which is loaded when it is first asked for and listens to its keys from then on. */
export function Commands() {
  const [asked, setAsked] = useState(false);
  // Also from a field: the keys mean nothing else there.
  useHotkeys(asked ? [] : [['mod+K', () => setAsked(true)]], []);
  const open = (): void => {
    if (asked) void import('@mantine/spotlight').then(({ spotlight }) => spotlight.open());
    else setAsked(true);
  };
  return (
    <>
      <button type="button" className={classes.link} onClick={open}>
        <IconSearch size={17} stroke={1.8} aria-hidden />
        <span className={classes.label}>Find or do…</span>
      </button>
      {asked && <CommandPalette onGiveUp={() => setAsked(false)} />}
    </>
  );
}
