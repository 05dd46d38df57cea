import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';
import { useAddress } from './useAddress';

/** The field has stood still for so long before the address says what is in it. */
const STILL_MS = 250;

interface Form {
  /** What the address says, as the field shows it. */
  read(named: string): string;
  /** What is in the field, as the address says it. */
  write(text: string): string;
}

const AS_IT_IS: Form = { read: named => named, write: text => text };

/**
 * A text field of which the address tells. The field has its text at once: the address follows in its own time, and would take
 * letters out that were typed meanwhile. What is written into the address elsewhere comes into the field.
 */
export function useAddressText(name: string, form = AS_IT_IS): [string, (text: string) => void] {
  const { params, set } = useAddress();
  const named = params.get(name) ?? '';
  const [text, setText] = useState(form.read(named));
  const [seen, setSeen] = useState(named);
  /** What the field has written, and the address does not say yet. */
  const [written, setWritten] = useState<readonly string[]>([]);
  const write = useDebouncedCallback((typed: string) => {
    const next = form.write(typed);
    // Where the address was changed meanwhile, the field says something else by now.
    if (typed !== text || next === (written.at(-1) ?? named)) return;
    setWritten([...written, next]);
    set(name, next);
  }, STILL_MS);
  if (named !== seen) {
    setSeen(named);
    const at = written.indexOf(named);
    setWritten(at < 0 ? [] : written.slice(at + 1));
    if (at < 0) setText(form.read(named));
  }
  const change = (next: string): void => {
    setText(next);
    write(next);
  };
  return [text, change];
}
