import { Checkbox, Group, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { type Picture, PICTURE } from './picture';

const LAYOUTS = [
  { value: 'nchw' as const, label: 'planes (NCHW)' },
  { value: 'nhwc' as const, label: 'interleaved (NHWC)' },
];

const CHANNELS = [
  { value: 'rgb' as const, label: 'red first (RGB)' },
  { value: 'bgr' as const, label: 'blue first (BGR)' },
];

interface Props {
  value: Picture | null;
  onChange(value: Picture | null): void;
}

/** How a picture becomes the input of a model that is run as plain tensors, if it takes one. */
export function PictureField({ value, onChange }: Props) {
  const picture = value ?? PICTURE;
  const field = <K extends keyof Picture>(key: K) => ({
    value: picture[key],
    onChange: (changed: Picture[K] | null) => onChange({ ...picture, [key]: changed ?? PICTURE[key] }),
  });
  const text = (key: 'input' | 'scale' | 'mean' | 'std') => ({
    value: picture[key],
    onChange: (event: { currentTarget: { value: string } }) => field(key).onChange(event.currentTarget.value),
  });
  return (
    <Stack gap={8}>
      <Checkbox
        label="It takes a picture"
        description="the worker decodes and prepares it; without, runs give tensors as numbers"
        checked={value !== null}
        onChange={event => onChange(event.currentTarget.checked ? PICTURE : null)}
      />
      {value !== null && (
        <>
          <Group gap={8} grow align="flex-end">
            <NumberInput label="Width" min={1} allowDecimal={false} {...field('width')} />
            <NumberInput label="Height" min={1} allowDecimal={false} {...field('height')} />
            <TextInput label="Input" placeholder="its only one" {...text('input')} />
          </Group>
          <Group gap={8} grow align="flex-end">
            <TextInput label="Scale" placeholder="1/255" {...text('scale')} />
            <TextInput label="Mean" placeholder="0, 0, 0" {...text('mean')} />
            <TextInput label="Standard deviation" placeholder="1, 1, 1" {...text('std')} />
          </Group>
          <Group gap={8} grow align="flex-end">
            <Select label="Layout" data={LAYOUTS} allowDeselect={false} {...field('layout')} />
            <Select label="Colours" data={CHANNELS} allowDeselect={false} {...field('channels')} />
          </Group>
          <Text size="xs" c="dimmed">
            It is stretched to the size; its samples, 0 to 255, are multiplied by the scale, the mean is taken
            off, and they are divided by the standard deviation.
          </Text>
        </>
      )}
    </Stack>
  );
}
