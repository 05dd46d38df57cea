import { Textarea } from '@mantine/core';
import type { Json } from '~/api/types';
import { parseJson, sameJson } from '~/lib/json';
import { useTyped } from './useTyped';

interface Props {
  label: string;
  value: Json | undefined;
  fallback?: Json | undefined;
  onChange(value: Json | undefined): void;
}

/** A value written as JSON; a text that is no JSON is taken for a text when it is left. */
export function JsonField({ label, value, fallback, onChange }: Props) {
  const field = useTyped(value === undefined ? '' : JSON.stringify(value), text => {
    const next = text.trim() === '' ? undefined : parseJson(text);
    if (!sameJson(next, value)) onChange(next);
  });
  return (
    <Textarea
      size="xs"
      autosize
      minRows={1}
      maxRows={10}
      aria-label={label}
      placeholder={fallback === undefined || fallback === null ? 'JSON' : JSON.stringify(fallback)}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      value={field.text}
      onChange={event => field.type(event.currentTarget.value)}
      onBlur={() => field.commit()}
    />
  );
}
