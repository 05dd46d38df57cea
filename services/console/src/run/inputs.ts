/** What a run's input may be while it is put together. */
import type { Json, NodeDefinition } from '~/api/types';
import { blockName } from '~/graph/selectors';

/** A picture that was chosen: a file to upload, or an address that a worker fetches. */
export type Picture =
  { id: string; name: string; file: Blob } | { id: string; name: string; url: string; preview: string };

export type InputValue =
  { kind: 'pictures'; pictures: Picture[] } | { kind: 'value'; value: Json | undefined };

export function isPictureInput(node: NodeDefinition): boolean {
  return blockName(node.type) === 'image_input';
}

export function defaultValue(node: NodeDefinition): InputValue {
  if (isPictureInput(node)) return { kind: 'pictures', pictures: [] };
  const { kind, default: given, required, enum: choices } = node.config ?? {};
  // A switch that is off says no; whether it was touched nobody can see.
  const isOff = kind === 'boolean' && given === undefined && required !== false && !choices;
  return { kind: 'value', value: isOff ? false : undefined };
}

/** Whether the run cannot start without more of this input. */
export function missing(node: NodeDefinition, input: InputValue): boolean {
  if (input.kind === 'pictures') return input.pictures.length === 0 && node.config?.required !== false;
  return input.value === undefined && node.config?.default === undefined && node.config?.required !== false;
}

/** Whether a text is an address that a picture can be fetched from. */
export function isAddress(text: string): boolean {
  return /^https?:\/\/\S+$/i.test(text);
}

let counter = 0;

export function pictureOf(file: Blob, name: string): Picture {
  counter += 1;
  return { id: `picture-${counter}`, name, file };
}

export function pictureAt(url: string): Picture {
  counter += 1;
  return { id: `picture-${counter}`, name: url.split('/').pop() || url, url, preview: '' };
}
