import { Button, Group, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { ProblemNotice } from './ProblemNotice';

interface Props {
  /** What the button says. */
  label: string;
  /** Whether something is still missing. */
  incomplete: boolean;
  send: { mutate(): void; isPending: boolean; error: Error | null };
  onCancel(): void;
  children: ReactNode;
}

/** The fields of a dialog, what went wrong with them, and the way out. */
export function SubmitForm({ label, incomplete, send, onCancel, children }: Props) {
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        send.mutate();
      }}
    >
      <Stack>
        {children}
        {send.error && <ProblemNotice error={send.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={send.isPending} disabled={incomplete}>
            {label}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
