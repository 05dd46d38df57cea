/** What a setting may look like, for those who do not know its form. */
import type { Block, Json, Schema } from '~/api/types';
import { entryOf, isObject } from '~/lib/json';

/** A colour as the blocks take it; whether a pattern means one can only be tried. */
const COLOUR = '#ff8800';

/** The value at a place of a node in the first of the block's own examples that has one; else what the schema lets follow. */
export function exampleOf(
  block: Block | undefined,
  place: readonly string[],
  schema: Schema,
): Json | undefined {
  for (const { node } of block?.examples ?? []) {
    const found = valueAt(node as unknown as Json, place);
    if (found !== undefined && found !== null) return found;
  }
  return sampleOf(schema);
}

function valueAt(holder: Json | undefined, place: readonly string[]): Json | undefined {
  const [name, ...rest] = place;
  if (name === undefined) return holder;
  return isObject(holder) ? valueAt(entryOf(holder, name), rest) : undefined;
}

function sampleOf(schema: Schema): Json | undefined {
  const types = [schema.type ?? []].flat();
  if (types.includes('string')) {
    return schema.pattern && new RegExp(schema.pattern).test(COLOUR) ? COLOUR : undefined;
  }
  if (types.includes('array')) {
    // A schema may also be `true`, which says nothing of the items.
    const item = isObject(schema.items) ? sampleOf(schema.items) : undefined;
    return item === undefined ? undefined : Array<Json>(schema.minItems ?? 1).fill(item);
  }
  return types.includes('number') || types.includes('integer') ? 0 : undefined;
}

/** An example in words. */
export function asIn(example: Json): string {
  return `as in ${typeof example === 'string' ? example : JSON.stringify(example)}`;
}
