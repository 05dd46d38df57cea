import { Anchor, Code, Text } from '@mantine/core';
import { IconHourglassEmpty } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Execution } from '~/api/types';
import classes from './RunError.module.css';

type Pools = NonNullable<Execution['unserved']>;

/** Why a run stands still: the pools that its jobs wait for, none of which any worker serves, and what to do. */
export function Unserved({ pools, served }: Pools) {
  const command = `millrace worker --pool ${pools.join(',')}`;
  return (
    <div className={classes.error} data-kind="UNSERVED" role="status">
      <IconHourglassEmpty size={17} aria-hidden />
      <div>
        <Text size="sm" fw={560} component="div">
          No worker serves the pool{pools.length > 1 && 's'} {pools.join(', ')}: the run waits for one.
        </Text>
        <Text size="xs" component="div">
          It goes on by itself as soon as one is there: <Code>{command}</Code> starts one.{' '}
          {served.length === 0
            ? 'At the moment there are no workers at all.'
            : `If another pool is meant, cancel the run and name that one, at the node, the model or the run; served are ${served.join(', ')}.`}{' '}
          <Anchor component={Link} to="/workers" inherit underline="always">
            See the workers
          </Anchor>
        </Text>
      </div>
    </div>
  );
}
