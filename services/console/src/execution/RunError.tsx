import { Anchor, Code, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { JobError } from '~/api/types';
import { useAddress } from '~/lib/useAddress';
import { adviceFor } from './errors';
import classes from './RunError.module.css';

/** The run's own error names the node once more. */
const REPEATED = /^node `[^`]+` failed: /;

/** A failure: its place, its cause, and what to do. */
export function RunError({ error, linkNode = true }: { error: JobError; linkNode?: boolean }) {
  const { params, setAll } = useAddress();
  const advice = adviceFor(error.kind);
  const open = (node: string): void => {
    const next = new URLSearchParams(params);
    next.set('node', node);
    next.delete('tab');
    setAll(next);
  };
  return (
    <div className={classes.error} data-kind={error.kind} role="alert">
      <IconAlertTriangle size={17} aria-hidden />
      <div>
        <Text size="sm" fw={560} component="div">
          {linkNode && error.node && (
            <>
              <Anchor component="button" type="button" inherit onClick={() => open(error.node ?? '')}>
                {error.node}
              </Anchor>
              {': '}
            </>
          )}
          {linkNode && error.node ? error.message.replace(REPEATED, '') : error.message}
        </Text>
        <Text size="xs" c="dimmed" component="div">
          {error.pointer && (
            <>
              at <Code>{error.pointer}</Code>{' '}
            </>
          )}
          <Code>{error.kind}</Code> {advice}
        </Text>
      </div>
    </div>
  );
}
