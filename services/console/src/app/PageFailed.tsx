import { Button, Center, Code, Stack, Text, Title } from '@mantine/core';
import { isRouteErrorResponse, useRouteError } from 'react-router';

/** What is left when a page breaks: what happened, and a way on. */
export function PageFailed() {
  const error = useRouteError();
  const message = isRouteErrorResponse(error)
    ? error.statusText
    : error instanceof Error
      ? error.message
      : String(error);
  return (
    <Center mih="70vh" p="xl">
      <Stack maw={520} gap="sm">
        <Title order={2}>This page broke</Title>
        <Text c="dimmed">
          Nothing was lost on the server. Load the page again; if it breaks once more, the console may be of
          another version than the server, which a reload mends too.
        </Text>
        <Code block tabIndex={0}>
          {message}
        </Code>
        <Button w="fit-content" onClick={() => window.location.reload()}>
          Load again
        </Button>
      </Stack>
    </Center>
  );
}
