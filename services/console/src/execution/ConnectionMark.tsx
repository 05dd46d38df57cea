import { Tooltip } from '@mantine/core';
import classes from './ConnectionMark.module.css';
import { useLive } from './live/context';

const WORDS = {
  connecting: ['connecting', 'The event stream is being opened.'],
  open: ['live', 'Every event is shown as it happens.'],
  lost: [
    'reconnecting',
    'The connection was lost. It is tried again by itself, and nothing will be missing.',
  ],
  ended: ['', ''],
  gone: ['deleted', 'The run was deleted while it was watched.'],
} as const;

/** Whether what is seen is what is. */
export function ConnectionMark() {
  const connection = useLive(live => live.connection);
  const [word, help] = WORDS[connection];
  return (
    <span role="status" aria-live="polite">
      {word && (
        <Tooltip label={help}>
          <span className={classes.mark} data-connection={connection}>
            {word}
          </span>
        </Tooltip>
      )}
    </span>
  );
}
