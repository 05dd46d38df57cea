import { ActionIcon, Button, Group, TextInput } from '@mantine/core';
import { IconUpload, IconX } from '@tabler/icons-react';
import { useRef } from 'react';
import { formatBytes } from '~/lib/format';
import type { Origin } from './registration';

interface Props {
  label: string;
  description?: string;
  /** The endings of files that are offered, such as `.onnx`. */
  accept: string;
  value: Origin;
  onChange(value: Origin): void;
}

/** Where a file is: one that is chosen here, or an address. */
export function OriginField({ label, description, accept, value, onChange }: Props) {
  const chooser = useRef<HTMLInputElement>(null);
  const chosen = typeof value === 'string' ? null : value;
  return (
    <Group gap={6} align="flex-end" wrap="nowrap">
      <TextInput
        style={{ flex: 1 }}
        label={label}
        description={description}
        placeholder="https://… or blob:…"
        readOnly={chosen !== null}
        value={chosen ? `${chosen.name} (${formatBytes(chosen.size)})` : (value as string)}
        onChange={event => onChange(event.currentTarget.value)}
        rightSection={
          chosen && (
            <ActionIcon aria-label={`Take ${chosen.name} out`} onClick={() => onChange('')}>
              <IconX size={14} />
            </ActionIcon>
          )
        }
      />
      <Button
        variant="default"
        leftSection={<IconUpload size={14} />}
        aria-label={`Choose a file for ${label}`}
        onClick={() => chooser.current?.click()}
      >
        File
      </Button>
      <input
        ref={chooser}
        type="file"
        accept={accept}
        hidden
        data-origin={label}
        onChange={({ currentTarget: input }) => {
          const file = input.files?.[0];
          if (file) onChange(file);
          // The same file, chosen once more, is a change again.
          input.value = '';
        }}
      />
    </Group>
  );
}
