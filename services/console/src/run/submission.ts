import { request } from '~/api/request';
import type { Json, JsonObject, NodeDefinition, StoredBlob } from '~/api/types';
import type { InputValue, Picture } from './inputs';

export interface GivenInput {
  node: NodeDefinition;
  value: InputValue;
  isList: boolean;
}

/** The body of a run: pictures are uploaded first, and named by their digests. */
export async function submission(
  given: readonly GivenInput[],
  options: JsonObject,
  signal?: AbortSignal,
): Promise<JsonObject> {
  const entries = await Promise.all(
    given.map(async one => [one.node.id, await valueOf(one, signal)] as const),
  );
  const input = Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as JsonObject;
  const set = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== null && value !== undefined),
  );
  return { input, ...set };
}

async function valueOf({ value, isList }: GivenInput, signal?: AbortSignal): Promise<Json | undefined> {
  if (value.kind === 'value') return value.value;
  const references = await Promise.all(value.pictures.map(picture => reference(picture, signal)));
  if (references.length === 0) return undefined;
  return isList || references.length > 1 ? references : references[0];
}

async function reference(picture: Picture, signal?: AbortSignal): Promise<string> {
  if ('url' in picture) return picture.url;
  const stored = await request<StoredBlob>('/blobs', { method: 'POST', body: picture.file, signal });
  return `blob:${stored.blob}`;
}
