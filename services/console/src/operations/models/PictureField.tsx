import { Checkbox, Group, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { type Picture, PICTURE } from './picture';

interface Props {
  value: Picture | null;
  onChange(value: Picture | null): void;
}

/** How a picture becomes the input of a model that is run as plain tensors, if it takes one. */
export function PictureField({ value, onChange }: Props) {
  const set = (change: Partial<Picture>): void => onChange({ ...PICTURE, ...value, ...change });
  const text = (key: 'input' | 'scale' | 'mean' | 'std') => ({
    value: value?.[key] ?? '',
    onChange: (event: { currentTarget: { value: string } }) => set({ [key]: event.currentTarget.value }),
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
            <NumberInput
              label="Width"
              min={1}
              allowDecimal={false}
              value={value.width}
              onChange={width => set({ width })}
            />
            <NumberInput
              label="Height"
              min={1}
              allowDecimal={false}
              value={value.height}
              onChange={height => set({ height })}
            />
            <TextInput label="Input" placeholder="its only one" {...text('input')} />
          </Group>
          <Group gap={8} grow align="flex-end">
            <TextInput label="Scale" placeholder="1/255" {...text('scale')} />
            <TextInput label="Mean" placeholder="0, 0, 0" {...text('mean')} />
            <TextInput label="Standard deviation" placeholder="1, 1, 1" {...text('std')} />
          </Group>
          <Group gap={8} grow align="flex-end">
            <Select
              label="Layout"
              data={[
                { value: 'nchw', label: 'planes (NCHW)' },
                { value: 'nhwc', label: 'interleaved (NHWC)' },
              ]}
              allowDeselect={false}
              value={value.layout}
              onChange={layout => set({ layout: layout ?? PICTURE.layout })}
            />
            <Select
              label="Colours"
              data={[
                { value: 'rgb', label: 'red first (RGB)' },
                { value: 'bgr', label: 'blue first (BGR)' },
              ]}
              allowDeselect={false}
              value={value.channels}
              onChange={channels => set({ channels: channels ?? PICTURE.channels })}
            />
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
