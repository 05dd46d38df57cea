import { Button, Group, Stack } from '@mantine/core';
import { useRef, type ReactNode } from 'react';
import { ProblemNotice } from './ProblemNotice';

interface Send {
  mutate(nothing: undefined, options: { onSettled(): void }): void;
  isPending: boolean;
  error: Error | null;
}

interface Props {
  /** What the button says. */
  label: string;
  /** Whether something is still missing. */
  incomplete: boolean;
  send: Send;
  onCancel(): void;
  children: ReactNode;
}

/** The fields of a dialog, what went wrong with them, and the way out. */
export function SubmitForm({ label, incomplete, send, onCancel, children }: Props) {
  // A second Enter comes before the first has switched the button off.
  const sending = useRef(false);
  const submit = (): void => {
    if (sending.current) return;
    sending.current = true;
    const onSettled = (): void => {
      sending.current = false;
    };
    send.mutate(undefined, { onSettled });
  };
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        submit();
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
