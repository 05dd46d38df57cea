import { NumberInput, Select, Switch, Text, TextInput } from '@mantine/core';
import type { Json, NodeDefinition } from '~/api/types';
import { JsonField } from '~/editor/form/JsonField';
import { preview } from '~/lib/json';
import { typedNumber } from '~/lib/typedNumber';
import type { InputValue } from './inputs';

interface Props {
  node: NodeDefinition;
  value: InputValue;
  onChange(value: InputValue): void;
}

/** A parameter, as its kind asks. Left empty it takes its default. */
export function ParameterField({ node, value, onChange }: Props) {
  const config = node.config ?? {};
  const current = value.kind === 'value' ? value.value : undefined;
  const set = (next: Json | undefined): void =>
    onChange({ kind: 'value', value: next === '' || next === null ? undefined : next });
  const shared = {
    label: node.id,
    description: typeof config.description === 'string' ? config.description : undefined,
    placeholder: config.default === undefined ? undefined : preview(config.default, 40),
    withAsterisk: config.default === undefined && config.required !== false,
  };
  const number = (name: string) => (typeof config[name] === 'number' ? config[name] : undefined);
  if (Array.isArray(config.enum)) {
    const options = config.enum.map(option => (typeof option === 'string' ? option : JSON.stringify(option)));
    const at = options.findIndex((_, index) => Array.isArray(config.enum) && config.enum[index] === current);
    return (
      <Select
        {...shared}
        clearable
        data={options}
        value={options[at] ?? null}
        onChange={text =>
          set(text === null || !Array.isArray(config.enum) ? undefined : config.enum[options.indexOf(text)])
        }
      />
    );
  }
  switch (config.kind) {
    case 'integer':
    case 'float':
      return (
        <NumberInput
          {...shared}
          min={number('min')}
          max={number('max')}
          allowDecimal={config.kind === 'float'}
          step={config.kind === 'float' ? 0.05 : 1}
          value={typeof current === 'number' ? current : ''}
          onChange={next => {
            const number = typedNumber(next);
            if (number !== null) set(number);
          }}
        />
      );
    case 'boolean':
      return (
        <Switch
          label={node.id}
          description={shared.description}
          checked={(current ?? config.default) === true}
          onChange={event => set(event.currentTarget.checked)}
        />
      );
    case 'string':
    case 'timestamp':
      return (
        <TextInput
          {...shared}
          value={typeof current === 'string' ? current : ''}
          onChange={event => set(event.currentTarget.value)}
        />
      );
    default:
      return (
        <div>
          <Text size="sm" fw={500} mb={4}>
            {node.id}{' '}
            <small style={{ color: 'var(--ink-soft)' }}>
              {typeof config.kind === 'string' ? config.kind : 'any'}
            </small>
          </Text>
          <JsonField label={node.id} value={current} fallback={config.default} onChange={set} />
        </div>
      );
  }
}
