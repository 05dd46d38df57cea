import { Group, TextInput } from '@mantine/core';
import { OriginField } from './OriginField';
import { nameOf, type Weights } from './registration';

const NONE: Weights = { name: '', origin: '' };

interface Props {
  value: readonly Weights[];
  onChange(value: Weights[]): void;
}

/** Files of weights, each called as the graph calls it; there is always room for one more. */
export function WeightsField({ value, onChange }: Props) {
  const rows = [...value, NONE];
  const set = (at: number, change: Partial<Weights>): void => {
    const next = rows.map((row, index) => (index === at ? { ...row, ...change } : row));
    onChange(next.filter(({ name, origin }) => name !== '' || origin !== ''));
  };
  return rows.map((row, at) => {
    const label = at === 0 ? 'Weights' : `Weights ${at + 1}`;
    return (
      <Group key={at} gap={6} align="flex-end" wrap="nowrap">
        <TextInput
          w={190}
          label={`${label} are called`}
          placeholder={nameOf(row) || 'model.onnx.data'}
          value={row.name}
          onChange={event => set(at, { name: event.currentTarget.value })}
        />
        <div style={{ flex: 1 }}>
          <OriginField label={label} accept="*" value={row.origin} onChange={origin => set(at, { origin })} />
        </div>
      </Group>
    );
  });
}
