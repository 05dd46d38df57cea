import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { Component, type ReactNode } from 'react';

interface Props {
  children: ReactNode;
  /** What is shown: where it is another, what failed before says nothing. */
  of?: unknown;
  /** Before what failed is drawn once more. */
  onAgain?: ((error: Error) => void) | undefined;
  /** Gives the part up, where the page can do without it. */
  onClose?: (() => void) | undefined;
}

/** Keeps what goes wrong in one part of a page inside that part: the rest goes on, with whatever is unsaved there. */
export class Boundary extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidUpdate(before: Props): void {
    if (this.state.error && before.of !== this.props.of) this.setState({ error: null });
  }

  override render(): ReactNode {
    const { error } = this.state;
    const { children, onAgain, onClose } = this.props;
    if (!error) return children;
    const again = (): void => {
      onAgain?.(error);
      this.setState({ error: null });
    };
    return (
      <Alert color="red" m="sm" title="This part of the page could not be shown" role="alert">
        <Stack gap="xs" align="flex-start">
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {error.message}
          </Text>
          <Text size="sm" c="dimmed">
            If it fails again, load the page anew: the server may have been upgraded. What is not saved in the
            editor is kept in this tab.
          </Text>
          <Group gap="xs">
            <Button size="xs" variant="default" onClick={again}>
              Try again
            </Button>
            <Button size="xs" variant="subtle" onClick={() => window.location.reload()}>
              Load the page anew
            </Button>
            {onClose && (
              <Button size="xs" variant="subtle" onClick={onClose}>
                Close
              </Button>
            )}
          </Group>
        </Stack>
      </Alert>
    );
  }
}
