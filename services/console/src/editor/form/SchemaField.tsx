import { NumberInput, Select, Slider, Switch, TagsInput, Textarea, TextInput } from '@mantine/core';
import type { Json, Schema } from '~/api/types';
import { blockOf } from '~/graph/ports';
import { blockName, isSelector } from '~/graph/selectors';
import { isObject } from '~/lib/json';
import { labelOf, words } from '~/lib/format';
import { typedNumber } from '~/lib/typedNumber';
import { faultsAt, type NodeFault } from '../document/faults';
import { useEditor } from '../store';
import { BindMenu, BoundValue } from './BoundValue';
import { CelField } from './CelField';
import { ChoicesField } from './ChoicesField';
import { ClassesField } from './ClassesField';
import { exampleOf } from './example';
import { FieldFrame } from './FieldFrame';
import { JsonField } from './JsonField';
import { CollectionField, ModelField } from './NamedField';
import { ObjectField } from './ObjectField';
import { isPairs, PairsField } from './PairsField';
import { WorkflowField } from './WorkflowField';

export interface FieldProps {
  /** The node it belongs to. */
  node: string;
  name: string;
  /** Where it stands in the node. */
  place: readonly string[];
  schema: Schema;
  value: Json | undefined;
  required: boolean;
  faults: readonly NodeFault[] | undefined;
  onChange(place: readonly string[], value: Json | undefined): void;
}

/** A field made from its JSON Schema. A value that comes from another node shows where from. */
export function SchemaField(props: FieldProps) {
  const { node, name, place, schema, value, required } = props;
  const block = useEditor(({ catalogue, nodes }) => {
    const owner = nodes.get(node);
    return owner && blockOf(catalogue, owner);
  });
  const bound = isSelector(value);
  const types = typesOf(schema);
  if (types.includes('object') && schema.properties && !bound) return <ObjectField {...props} />;
  const own = faultsAt(props.faults, place);
  const example = exampleOf(block, place, schema);
  return (
    <FieldFrame
      name={name}
      help={schema.description}
      required={required && schema.default === undefined}
      faults={own}
      example={typeof example === 'object' ? example : undefined}
      aside={
        !bound && (
          <BindMenu
            node={node}
            name={name}
            wanted={kindOf(schema)}
            onBind={text => props.onChange(place, text)}
          />
        )
      }
    >
      {bound ? (
        <BoundValue text={value} onRelease={() => props.onChange(place, undefined)} />
      ) : (
        <Control {...props} example={example} />
      )}
    </FieldFrame>
  );
}

interface ControlProps extends FieldProps {
  example: Json | undefined;
}

function Control(props: ControlProps) {
  const block = useEditor(state => blockName(state.nodes.get(props.node)?.type ?? ''));
  switch (`${block}.${props.place.slice(1).join('.')}`) {
    case 'sub_workflow.workflow':
      return <WorkflowField {...props} />;
    case 'similarity_search.collection':
      return <CollectionField {...props} />;
    case 'switch.cases':
      return <Plain {...props} heads={['port', 'equals']} />;
    default:
      return <Plain {...props} />;
  }
}

/** What the two columns of an object are called whose names are the user's. */
const HEADS = ['name', 'value'] as const;

function Plain({ heads = HEADS, ...props }: ControlProps & { heads?: readonly [string, string] }) {
  const { name, place, schema, value, example, onChange } = props;
  const set = (next: Json | undefined): void =>
    onChange(place, next === '' || next === null ? undefined : next);
  const types = typesOf(schema);
  const label = labelOf(name);
  if (name === 'model_id') return <ModelField {...props} />;
  if (schema.format === 'cel') return <CelField {...props} />;
  if (schema.enum) {
    const options = schema.enum
      .filter(option => option !== null)
      .map(option => ({ value: String(option), label: words(String(option)) }));
    const described = (option: string) =>
      schema.enumDescriptions?.[schema.enum?.findIndex(one => String(one) === option) ?? -1];
    return (
      <Select
        size="xs"
        aria-label={label}
        data={options}
        value={typeof value === 'string' ? value : null}
        placeholder={typeof schema.default === 'string' ? words(schema.default) : 'not set'}
        clearable={value !== undefined}
        onChange={next => set(next ?? undefined)}
        renderOption={({ option }) => (
          <div>
            <div>{option.label}</div>
            {described(option.value) && (
              <small style={{ color: 'var(--ink-soft)' }}>{described(option.value)}</small>
            )}
          </div>
        )}
      />
    );
  }
  if (types.length === 1 && types[0] === 'boolean') {
    return (
      <Switch
        size="sm"
        aria-label={label}
        checked={(value ?? schema.default) === true}
        onChange={event => set(event.currentTarget.checked)}
      />
    );
  }
  if (types.length === 1 && (types[0] === 'number' || types[0] === 'integer'))
    return <NumberControl {...props} />;
  if (types.length === 1 && types[0] === 'array' && typesOf(schema.items ?? {}).join() === 'string') {
    const items = Array.isArray(value) ? value.filter(item => typeof item === 'string') : [];
    if (/^class(es|_filter)$/.test(name)) return <ClassesField {...props} items={items} />;
    if (schema.items?.enum) return <ChoicesField {...props} items={items} />;
    return (
      <TagsInput
        size="xs"
        aria-label={label}
        value={items}
        placeholder={items.length > 0 ? '' : 'none'}
        onChange={next => set(next.length > 0 ? next : undefined)}
      />
    );
  }
  if (types.length === 1 && types[0] === 'string') {
    const text = typeof value === 'string' ? value : '';
    const shared = {
      size: 'xs',
      'aria-label': label,
      value: text,
      placeholder: typeof schema.default === 'string' ? schema.default : '',
    } as const;
    return (schema.maxLength ?? 0) > 1_000 ? (
      <Textarea
        {...shared}
        autosize
        minRows={2}
        maxRows={8}
        onChange={event => set(event.currentTarget.value)}
      />
    ) : (
      <TextInput {...shared} onChange={event => set(event.currentTarget.value)} />
    );
  }
  if (types.join() === 'object' && schema.additionalProperties && isPairs(value)) {
    const texts = isObject(schema.additionalProperties) && schema.additionalProperties.type === 'string';
    return <PairsField label={label} heads={heads} value={value ?? {}} texts={texts} onChange={set} />;
  }
  return (
    <JsonField
      label={label}
      value={value}
      fallback={schema.default}
      example={example}
      list={types.join() === 'array'}
      onChange={set}
    />
  );
}

function NumberControl({ name, place, schema, value, onChange }: FieldProps) {
  const current = typeof value === 'number' ? value : undefined;
  const [min, max] = [schema.minimum ?? schema.exclusiveMinimum, schema.maximum];
  const isShare = typesOf(schema)[0] === 'number' && min === 0 && max === 1;
  const standard = typeof schema.default === 'number' ? schema.default : undefined;
  const set = (next: number | undefined): void => onChange(place, next);
  return (
    <div style={{ display: 'flex', gap: 10, alignItems: 'center' }}>
      {isShare && (
        <Slider
          flex={1}
          size="sm"
          min={0}
          max={1}
          step={0.01}
          label={null}
          thumbProps={{ 'aria-label': labelOf(name) }}
          value={current ?? standard ?? 0}
          onChange={set}
        />
      )}
      <NumberInput
        size="xs"
        w={isShare ? 76 : '100%'}
        aria-label={labelOf(name)}
        value={current ?? ''}
        placeholder={standard === undefined ? 'not set' : String(standard)}
        min={min}
        max={max}
        step={isShare ? 0.05 : 1}
        clampBehavior="none"
        allowDecimal={typesOf(schema)[0] === 'number'}
        onChange={next => {
          const number = typedNumber(next);
          if (number !== null) set(number);
        }}
      />
    </div>
  );
}

/** The types a schema allows, null left out. */
export function typesOf(schema: Schema): string[] {
  return (Array.isArray(schema.type) ? schema.type : schema.type ? [schema.type] : []).filter(
    type => type !== 'null',
  );
}

/** The kind of value a field takes, as ports name it. */
function kindOf(schema: Schema): string {
  const [type, ...others] = typesOf(schema);
  if (others.length > 0 || !type) return 'any';
  const kinds: Record<string, string> = {
    number: 'float',
    integer: 'integer',
    string: 'string',
    boolean: 'boolean',
    object: 'object',
  };
  return kinds[type] ?? 'any';
}

export function asFields(value: Json | undefined): Record<string, Json> {
  return isObject(value) ? value : {};
}
