import { Button, Group, Stack } from '@mantine/core';
import { useRef, type ReactNode } from 'react';
import { useLeaving } from '~/lib/useLeaving';
import { ProblemNotice } from './ProblemNotice';

interface Send {
  /** What is sent ends with the signal: the dialog was given up. */
  mutate(signal: AbortSignal, options: { onSuccess?(): void; onSettled(): void }): void;
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
  /** Whether its answer has to be seen: once it is sent it is not given up. */
  isBinding?: boolean;
  /** It was sent, and the dialog is still there. */
  onDone?(): void;
  children: ReactNode;
}

/** The fields of a dialog, what went wrong with them, and the way out. */
export function SubmitForm({
  label,
  incomplete,
  send,
  onCancel,
  isBinding = false,
  onDone,
  children,
}: Props) {
  // A second Enter comes before the first has switched the button off.
  const sending = useRef(false);
  const leaving = useLeaving();
  const submit = (): void => {
    if (sending.current) return;
    sending.current = true;
    const onSettled = (): void => {
      sending.current = false;
    };
    // Told to this dialog alone: an answer that comes when it is closed is not to close the next one.
    send.mutate(leaving(), { onSuccess: onDone, onSettled });
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
          <Button variant="default" onClick={onCancel} disabled={isBinding && send.isPending}>
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
