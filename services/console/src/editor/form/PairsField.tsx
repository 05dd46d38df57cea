import { ActionIcon, Group, Stack, TextInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useContext, useEffect, useEffectEvent, useState } from 'react';
import type { Json, JsonObject } from '~/api/types';
import { isObject } from '~/lib/json';
import { EditorContext } from '../store';
import { readConstant, writeConstant } from './constant';
import { useTyped } from './useTyped';

interface Props {
  label: string;
  /** What stands on the left, and what on the right. */
  heads: readonly [string, string];
  value: JsonObject;
  /** Whether every value is a text, whatever it looks like. */
  texts: boolean;
  onChange(value: Json | undefined): void;
}

/** Whether `value` can be written as rows: nothing in it has parts of its own. */
export function isPairs(value: Json | undefined): value is JsonObject | undefined {
  return value === undefined || (isObject(value) && Object.values(value).every(isPlain));
}

const isPlain = (value: Json): boolean => typeof value !== 'object' || value === null;

/** An object whose names are the user's: a row for each, and one for the next. */
export function PairsField({ label, heads, value, texts, onChange }: Props) {
  const pairs = Object.entries(value);
  const put = (next: [string, Json][]): void =>
    onChange(next.length > 0 ? (Object.fromEntries(next) as JsonObject) : undefined);
  const read = (text: string): Json => (texts ? text : readConstant(text));
  return (
    <Stack gap={5} role="group" aria-label={label}>
      {pairs.map(([name, one], at) => (
        <Group key={at} gap={5} wrap="nowrap" align="start">
          <Cell
            label={`${heads[0]} ${at + 1}`}
            text={name}
            faultOf={text => nameFault(value, text)}
            onTake={text => put(pairs.with(at, [text, one]))}
          />
          <Cell
            label={`${heads[1]} ${at + 1}`}
            text={texts && typeof one === 'string' ? one : writeConstant(one)}
            onTake={text => put(pairs.with(at, [name, read(text)]))}
          />
          <ActionIcon
            size="sm"
            mt={4}
            aria-label={`Remove ${name}`}
            onClick={() => put(pairs.filter((_, other) => other !== at))}
          >
            <IconX size={13} />
          </ActionIcon>
        </Group>
      ))}
      <NextPair
        heads={heads}
        faultOf={name => nameFault(value, name)}
        onAdd={(name, text) => put([...pairs, [name, read(text)]])}
      />
    </Stack>
  );
}

function nameFault(value: JsonObject, name: string): string | null {
  if (name.trim() === '') return 'It needs a name';
  return Object.hasOwn(value, name.trim()) ? 'Another has this name' : null;
}

interface CellProps {
  label: string;
  text: string;
  faultOf?: (text: string) => string | null;
  onTake(text: string): void;
}

function Cell({ label, text, faultOf = () => null, onTake }: CellProps) {
  const field = useTyped(text, next => {
    if (faultOf(next) === null) onTake(next.trim());
  });
  return (
    <TextInput
      size="xs"
      flex={1}
      miw={0}
      aria-label={label}
      value={field.text}
      error={field.text === text ? null : faultOf(field.text)}
      onChange={event => field.type(event.currentTarget.value)}
      onBlur={() => field.commit()}
      onKeyDown={event => {
        if (event.key === 'Enter') field.commit();
        if (event.key === 'Escape') field.forget();
      }}
    />
  );
}

interface NextProps {
  heads: readonly [string, string];
  faultOf(name: string): string | null;
  onAdd(name: string, text: string): void;
}

/** The row that makes the next pair, once it has both a name and a value. */
function NextPair({ heads, faultOf, onAdd }: NextProps) {
  const store = useContext(EditorContext);
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const add = (): void => {
    if (text.trim() === '' || faultOf(name) !== null) return;
    onAdd(name.trim(), text.trim());
    setName('');
    setText('');
  };
  const settle = useEffectEvent(() => add());
  useEffect(() => store?.getState().onSettle(() => settle()), [store]);
  const onEnter = (event: { key: string }): void => {
    if (event.key === 'Enter') add();
  };
  return (
    <Group gap={5} wrap="nowrap" align="start">
      <TextInput
        size="xs"
        flex={1}
        miw={0}
        aria-label={`New ${heads[0]}`}
        placeholder={heads[0]}
        value={name}
        error={name === '' ? null : faultOf(name)}
        onChange={event => setName(event.currentTarget.value)}
        onKeyDown={onEnter}
      />
      <TextInput
        size="xs"
        flex={1}
        miw={0}
        aria-label={`New ${heads[1]}`}
        placeholder={heads[1]}
        value={text}
        onChange={event => setText(event.currentTarget.value)}
        onBlur={add}
        onKeyDown={onEnter}
      />
      <ActionIcon size="sm" mt={4} aria-label="Add it" onClick={add}>
        <IconPlus size={14} />
      </ActionIcon>
    </Group>
  );
}
