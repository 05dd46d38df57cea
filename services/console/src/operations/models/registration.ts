/** What a model is registered with: files of this machine are uploaded first, and named by their digests. */
import { request } from '~/api/request';
import type { Json, Model, ModelRequest, StoredBlob } from '~/api/types';
import { isObject, parseJson } from '~/lib/json';
import { imageInput, type Picture } from './picture';

/** Where a file is: on this machine, or at an address (`https://…`, `blob:<sha256>`). */
export type Origin = File | string;

/** What may stand beside a model's ONNX file, but for its weights. */
export const FILES = [
  'config.json',
  'export.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
] as const;

/** A file of weights. */
export interface Weights {
  /** As the graph calls it; empty where its own name is that. */
  name: string;
  origin: Origin;
}

export interface Registration {
  id: string;
  task: string;
  family: string;
  checkpoint: Origin;
  sha256: string;
  labels: string;
  /** By name; an empty address is none. */
  files: Record<string, Origin>;
  weights: readonly Weights[];
  /** Of a model that is run as plain tensors; none where it takes no picture. */
  picture: Picture | null;
}

/** Registers it, or replaces what is registered under its name; nothing more is sent once `signal` is given. */
export async function register(model: Registration, signal?: AbortSignal): Promise<Model> {
  const plain = model.task === 'tensor';
  // Before anything is uploaded: they may be refused.
  const names = plain ? {} : classes(model.labels);
  const given = filesOf(model);
  // The others say themselves how a picture is prepared for them.
  const image = plain && model.picture !== null ? { image: imageInput(model.picture) } : {};
  const files: [string, string][] = [];
  // One after another: the server takes a few large files at once, and they share this machine's connection.
  for (const [name, origin] of given) files.push([name, await place(origin, signal)]);
  const body: ModelRequest = {
    id: model.id.trim(),
    task: model.task,
    checkpoint: await place(model.checkpoint, signal),
    files: Object.fromEntries(files),
    ...(!plain && model.family.trim() && { family: model.family.trim() }),
    // What is uploaded is named by its digest already.
    ...(typeof model.checkpoint === 'string' && model.sha256.trim() && { sha256: model.sha256.trim() }),
    ...names,
    ...image,
  };
  return request<Model>('/models', { method: 'POST', body, signal });
}

function filesOf({ files, weights }: Registration): [string, Origin][] {
  const given = weights
    .filter(({ origin }) => origin !== '')
    .map((one): [string, Origin] => [nameOf(one), one.origin]);
  const names = given.map(([name]) => name);
  if (names.includes(''))
    throw new Error('Weights need the name that the graph has for them, as in model.onnx.data');
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`Two files of weights are called ${twice}`);
  return [...Object.entries(files).filter(([, origin]) => origin !== ''), ...given];
}

/** What a file of weights is called: by its own name, unless another is given. An address may end with it. */
export function nameOf({ name, origin }: Weights): string {
  if (name.trim() !== '') return name.trim();
  if (typeof origin !== 'string') return origin.name;
  return /\/([^/?#]+\.(?:data|onnx_data(?:_\d+)?))(?:[?#].*)?$/.exec(origin.trim())?.[1] ?? '';
}

/**
 * Names of classes: one a line, or as JSON, a list or an object from number to name, also as Python prints them. What these hold
 * the server judges.
 */
export function classes(text: string): Pick<ModelRequest, 'labels' | 'class_mapping'> {
  const written = text.trim();
  if (written === '') return {};
  const json = /^[[{]/.test(written) ? parseJson(written) : null;
  const read = typeof json === 'string' ? fromPython(json) : json;
  if (isObject(read)) return { class_mapping: read as Record<string, string> };
  if (Array.isArray(read)) return { labels: read as string[] };
  if (/^(\[.*\]|\{.*\})$/s.test(written)) throw new Error('The classes look like JSON and are none');
  const names = written.split('\n').map(name => name.trim());
  return { labels: names.filter(name => name !== '') };
}

/** A list or a dict as Python prints it; a text with another quote or a backslash stays one, for there each has to be understood. */
function fromPython(text: string): Json {
  if (/["\\]/.test(text)) return text;
  return parseJson(text.replaceAll("'", '"').replace(/([{,]\s*)(\d+)(?=\s*:)/g, '$1"$2"'));
}

async function place(origin: Origin, signal?: AbortSignal): Promise<string> {
  if (typeof origin === 'string') return origin.trim();
  // As bytes, whatever it holds: a blob is no request.
  const body = origin.slice(0, origin.size, 'application/octet-stream');
  // For what it is: files of models may be larger than others.
  const { blob } = await request<StoredBlob>('/blobs?for=model', { method: 'POST', body, signal });
  return `blob:${blob}`;
}
