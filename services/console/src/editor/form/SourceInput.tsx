import { Autocomplete } from '@mantine/core';
import { useMemo, useRef, type KeyboardEvent } from 'react';
import { useSources } from './BoundValue';

interface Props {
  node: string;
  kinds: readonly string[];
  label: string;
  placeholder: string;
  text: string;
  onType(text: string): void;
  /** The field was left, or `text` chosen. */
  onCommit(text?: string): void;
  onForget(): void;
}

/** Where a value comes from, offered from the ports that fit; or the value itself. */
export function SourceInput({ node, kinds, label, placeholder, text, ...on }: Props) {
  const sources = useSources(node, kinds);
  const data = useMemo(() => [...new Set(sources.map(source => source.selector))], [sources]);
  // An option that is chosen comes once more as what was typed.
  const chosen = useRef<string | null>(null);
  return (
    <Autocomplete
      size="xs"
      aria-label={label}
      placeholder={placeholder}
      data={data}
      value={text}
      onChange={next => {
        if (next !== chosen.current) on.onType(next);
        chosen.current = null;
      }}
      onOptionSubmit={next => {
        chosen.current = next;
        on.onCommit(next);
      }}
      onBlur={() => on.onCommit()}
      // Outside the field, whose own keys come first: it has dealt with the Enter that chooses an option.
      wrapperProps={{
        onKeyDown: (event: KeyboardEvent) => {
          if (event.key === 'Enter' && !event.defaultPrevented) on.onCommit();
          if (event.key === 'Escape') on.onForget();
        },
      }}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      comboboxProps={{ withinPortal: true }}
    />
  );
}
