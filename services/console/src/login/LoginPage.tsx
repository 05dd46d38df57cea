import { Alert, Button, Center, Code, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { IconAlertTriangle, IconKey } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { ProblemError } from '~/api/request';
import { ProblemNotice } from '~/ui/ProblemNotice';
import classes from './LoginPage.module.css';
import { logIn } from './session';

/** A key opens a session; the key itself is not kept in the browser. */
export function Component() {
  useDocumentTitle('Log in · Millrace');
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [key, setKey] = useState('');
  const login = useMutation({
    mutationFn: () => logIn(key.trim()),
    onSuccess: async () => {
      await queries.invalidateQueries();
      await navigate(ownPath(params.get('to')), { replace: true });
    },
  });
  return (
    <Center className={classes.page} component="main">
      <form
        className={classes.card}
        onSubmit={event => {
          event.preventDefault();
          login.mutate();
        }}
      >
        <Stack>
          <img src="/millrace.svg" alt="" width={40} height={40} />
          <div>
            <Title order={1} size="h3">
              Log in to Millrace
            </Title>
            <Text size="sm" c="dimmed">
              This server asks for an api key.
            </Text>
          </div>
          <PasswordInput
            label="Api key"
            placeholder="mr_…"
            autoFocus
            autoComplete="current-password"
            leftSection={<IconKey size={16} />}
            value={key}
            onChange={event => setKey(event.currentTarget.value)}
          />
          {login.error && <Refused error={login.error} />}
          <Button type="submit" loading={login.isPending} disabled={key.trim() === ''}>
            Log in
          </Button>
          <Text size="xs" c="dimmed">
            An administrator makes one with <Code>millrace keys create</Code>. What you may do here is what
            the key may do.
          </Text>
        </Stack>
      </form>
    </Center>
  );
}

/** What to do about a key that was not taken. */
function Refused({ error }: { error: unknown }) {
  if (!(error instanceof ProblemError) || error.status !== 401) return <ProblemNotice error={error} />;
  return (
    <Alert color="red" icon={<IconAlertTriangle size={18} />} title="The key was not taken" role="alert">
      <Text size="sm">
        The server says: {error.problem.detail}. Look whether all of it was copied: <Code>mr_</Code> and what
        follows. <Code>millrace keys list</Code> shows the keys there are, and which were revoked.
      </Text>
    </Alert>
  );
}

/** Only addresses of the console itself: a link must not lead elsewhere after a login. */
function ownPath(to: string | null): string {
  return to?.startsWith('/') && !to.startsWith('//') ? to : '/';
}
