import { useHotkeys } from '@mantine/hooks';
import { IconKeyboard } from '@tabler/icons-react';
import { useState } from 'react';
import { lazyPart } from '~/ui/lazyPart';
import classes from './Shell.module.css';

const ShortcutList = lazyPart(
  () => import('./ShortcutList'),
  module => module.default,
);

export function ShortcutHelp() {
  const [state, setState] = useState<'never' | 'open' | 'closed'>('never');
  useHotkeys([['shift+?', () => setState('open')]]);
  return (
    <>
      <button type="button" className={`${classes.link} ${classes.wide}`} onClick={() => setState('open')}>
        <IconKeyboard size={17} stroke={1.8} aria-hidden />
        <span className={classes.label}>Shortcuts</span>
      </button>
      {state !== 'never' && (
        <ShortcutList
          opened={state === 'open'}
          onClose={() => setState('closed')}
          onGiveUp={() => setState('never')}
        />
      )}
    </>
  );
}
