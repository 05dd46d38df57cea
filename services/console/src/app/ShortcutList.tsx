import { Group, Kbd, Modal, Stack, Text } from '@mantine/core';
import { PLACES } from './navigation';

const EVERYWHERE: [string[], string][] = [
  [['Ctrl', 'K'], 'Find or do anything'],
  [['?'], 'These shortcuts'],
];

const EDITOR: [string[], string][] = [
  [['Ctrl', 'S'], 'Save'],
  [['Ctrl', 'Z'], 'Undo'],
  [['Ctrl', 'Shift', 'Z'], 'Redo'],
  [['Ctrl', 'C'], 'Copy what is selected'],
  [['Ctrl', 'V'], 'Paste'],
  [['Ctrl', 'D'], 'Duplicate'],
  [['Del'], 'Remove what is selected'],
  [['/'], 'Search the palette'],
  [['L'], 'Lay out'],
  [['R'], 'Run'],
];

/** Every shortcut, by where it works. */
export default function ShortcutList({ opened, onClose }: { opened: boolean; onClose(): void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts">
      <Stack gap="lg">
        <Section title="Everywhere" rows={EVERYWHERE} />
        <Section
          title="Go to"
          rows={PLACES.map(({ shortcut, label }) => [['G', shortcut.toUpperCase()], label])}
        />
        <Section title="In the editor" rows={EDITOR} />
      </Stack>
    </Modal>
  );
}

function Section({ title, rows }: { title: string; rows: [string[], string][] }) {
  return (
    <Stack gap={6}>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      {rows.map(([keys, what]) => (
        <Group key={what} justify="space-between">
          <Text size="sm" c="dimmed">
            {what}
          </Text>
          <Group gap={4}>
            {keys.map(key => (
              <Kbd key={key}>{key}</Kbd>
            ))}
          </Group>
        </Group>
      ))}
    </Stack>
  );
}
