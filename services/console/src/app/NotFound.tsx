import { Button } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from 'react-router';
import { EmptyState } from '~/ui/EmptyState';

export function Component() {
  return (
    <EmptyState
      icon={IconMapOff}
      title="There is no such page"
      action={
        <Button component={Link} to="/">
          Home
        </Button>
      }
    >
      The address may be mistyped, or what it led to was removed.
    </EmptyState>
  );
}
