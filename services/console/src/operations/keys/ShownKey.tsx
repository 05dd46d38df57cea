import { Alert, Button, Code, Stack, Text } from '@mantine/core';
import type { UseMutationResult } from '@tanstack/react-query';
import type { Session } from '~/api/types';
import { CopyText } from '~/ui/CopyText';
import { ProblemNotice } from '~/ui/ProblemNotice';
import { useShownOnce } from './useShownOnce';

interface Props {
  text: string;
  /** Going on with the key in this browser; none where it has another already. */
  login: UseMutationResult<Session, Error, string> | null;
  onClose(): void;
}

/** A key that was made, this once. */
export function ShownKey({ text, login, onClose }: Props) {
  useShownOnce(true);
  return (
    <Stack>
      <Alert color="orange" title="Copy it now">
        It is shown this once; the server keeps only its hash.
      </Alert>
      <Code block style={{ overflowWrap: 'anywhere', whiteSpace: 'normal' }}>
        <CopyText text={text} label="the key" />
      </Code>
      <Text size="sm" c="dimmed">
        Programs send <Code>Authorization: Bearer mr_…</Code>; the command line takes it from{' '}
        <Code>MILLRACE_API_KEY</Code>.{login?.isSuccess && ' This browser is logged in with it already.'}
      </Text>
      {login?.error && (
        <>
          <ProblemNotice error={login.error} />
          <Text size="sm">
            The key is made and holds, but this browser is not logged in with it yet. Copy it: from now on the
            server asks everyone for a key.
          </Text>
        </>
      )}
      {login?.error && (
        <Button variant="default" onClick={() => login.mutate(text)}>
          Log in with it
        </Button>
      )}
      <Button loading={login?.isPending} onClick={onClose}>
        I have it
      </Button>
    </Stack>
  );
}
