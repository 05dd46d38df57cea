import { Textarea } from '@mantine/core';
import type { Json } from '~/api/types';
import { isObject, parseJson, sameJson } from '~/lib/json';
import { asIn } from './example';
import { useTyped } from './useTyped';

interface Props {
  label: string;
  value: Json | undefined;
  fallback?: Json | undefined;
  /** What it may look like. */
  example?: Json | undefined;
  /** Whether it takes a list and nothing else: its brackets may be left out. */
  list?: boolean;
  onChange(value: Json | undefined): void;
}

/** A value written as JSON; a text that is no JSON is taken for a text when it is left. */
export function JsonField({ label, value, fallback, example, list = false, onChange }: Props) {
  const field = useTyped(value === undefined ? '' : JSON.stringify(value), text => {
    const next = text.trim() === '' ? undefined : (list ? readList : parseJson)(text);
    if (!sameJson(next, value)) onChange(next);
  });
  return (
    <Textarea
      size="xs"
      autosize
      minRows={1}
      maxRows={10}
      aria-label={label}
      placeholder={placeholder(fallback, example)}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      value={field.text}
      onChange={event => field.type(event.currentTarget.value)}
      onBlur={() => field.commit()}
    />
  );
}

/** What a text says where only a list will do. */
export function readList(text: string): Json {
  const said = parseJson(text);
  if (Array.isArray(said) || isObject(said)) return said;
  const listed = parseJson(`[${text}]`);
  return Array.isArray(listed) ? listed : said;
}

/** What holds when it is left alone; where that says nothing, what could be written. */
function placeholder(fallback: Json | undefined, example: Json | undefined): string {
  const isNothing = fallback == null || (typeof fallback === 'object' && Object.keys(fallback).length === 0);
  if (!isNothing) return JSON.stringify(fallback);
  return example === undefined ? 'JSON' : asIn(example);
}
