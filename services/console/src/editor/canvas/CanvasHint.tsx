import { Kbd, Text } from '@mantine/core';
import classes from './CanvasHint.module.css';

/** What an empty canvas says. */
export function CanvasHint() {
  return (
    <div className={classes.hint}>
      <Text fw={600}>An empty canvas</Text>
      <Text size="sm" c="dimmed" ta="center">
        Take a block from the palette, or press <Kbd>/</Kbd> and type. Most workflows begin with an image
        input. Pull a wire from a port and let go: the blocks that fit are offered.
      </Text>
    </div>
  );
}
