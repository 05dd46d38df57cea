/** A node's input as a text of one line, and back. */
import type { Json } from '~/api/types';
import { isSelector } from '~/graph/selectors';

/** A selector or a text as it is; numbers, yes and no, lists, objects and quoted texts as JSON. */
export function readConstant(text: string): Json {
  if (isSelector(text) || !/^[[{\d\-"tfn]/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** What is read as `value` again: a text that looks like something else stands in quotes. */
export function writeConstant(value: Json): string {
  return typeof value === 'string' && readConstant(value) === value ? value : JSON.stringify(value);
}
