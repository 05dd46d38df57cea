import { Center, Stack, Text, Title } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './EmptyState.module.css';

interface Props {
  icon: Icon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  compact?: boolean;
}

/** What a place shows while there is nothing in it: what will be here, and how to get it. */
export function EmptyState({ icon: Icon, title, children, action, compact = false }: Props) {
  return (
    <Center mih={compact ? 140 : 360} p="xl">
      <Stack align="center" gap="xs" maw={440} ta="center">
        <span className={classes.icon} data-compact={compact || undefined}>
          <Icon size={compact ? 20 : 28} stroke={1.5} aria-hidden />
        </span>
        <Title order={3} size={compact ? 'sm' : 'lg'}>
          {title}
        </Title>
        {children && (
          <Text size="sm" c="dimmed" component="div">
            {children}
          </Text>
        )}
        {action}
      </Stack>
    </Center>
  );
}
