/** A schedule's input as the fields of a form: what it says of each input node, and the same from what the fields say. */
import type { Json, NodeDefinition } from '~/api/types';
import { isObject } from '~/lib/json';
import { asImage, blobUrl } from '~/lib/values';
import {
  defaultValue,
  isAddress,
  isPictureInput,
  pictureAt,
  type InputValue,
  type Picture,
} from '~/run/inputs';

const BLOB = /^blob:([0-9a-f]{64})$/;

/** What the field of `node` begins with where the schedule says `value`. */
export function fieldOf(node: NodeDefinition, value: Json | undefined): InputValue {
  if (value === undefined) return defaultValue(node);
  if (!isPictureInput(node)) return { kind: 'value', value };
  // Pictures that are fetched at each firing stand inside a mark.
  const given = isObject(value) && value.$fetch !== undefined ? value.$fetch : value;
  const pictures = (Array.isArray(given) ? given : [given]).map(pictureIn);
  // What is no picture is kept, and shown as it is.
  return pictures.every(picture => picture !== null)
    ? { kind: 'pictures', pictures }
    : { kind: 'value', value };
}

/** The picture that is meant, by what a schedule was given or by what the server made of that. */
function pictureIn(given: Json): Picture | null {
  const blob = asImage(given)?.blob ?? (typeof given === 'string' ? BLOB.exec(given)?.[1] : undefined);
  if (blob) {
    const shown = { name: `stored picture ${blob.slice(0, 8)}`, preview: blobUrl(blob) };
    return { ...pictureAt(`blob:${blob}`), ...shown };
  }
  const address = isObject(given) && given.kind === 'image_url' ? given.url : given;
  return typeof address === 'string' && isAddress(address) ? pictureAt(address) : null;
}
