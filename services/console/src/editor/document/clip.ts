/** Nodes cut out of a definition, to be put into it again or into another; and as a text, which is what a clipboard takes. */
import type { Definition, NodeDefinition } from '~/api/types';
import { readPlaces, type Position } from '~/graph/places';
import { isObject } from '~/lib/json';
import { freeId, isNodeId, mapSelectors, move, renameIn, sourceOf } from './edit';
import { drawnPlaces, putPlaces, withPlaces } from './places';

export interface Clip {
  nodes: NodeDefinition[];
  places: ReadonlyMap<string, Position>;
}

/** How far from what was copied a copy is put. */
const STEP = 40;

/** The nodes, at the places where they are drawn. */
export function copyNodes(definition: Definition, ids: ReadonlySet<string>): Clip {
  const nodes = definition.nodes.filter(node => ids.has(node.id));
  return { nodes, places: new Map([...drawnPlaces(definition)].filter(([id]) => ids.has(id))) };
}

/** Puts a clip in: new ids where they are taken; wires inside the clip follow, wires to what is not there are dropped. */
export function paste(before: Definition, clip: Clip): { definition: Definition; ids: string[] } {
  const definition = withPlaces(before);
  const taken = definition.nodes.map(node => node.id);
  const known = new Set(taken);
  const renamed = new Map<string, string>();
  for (const { id } of clip.nodes) {
    const fresh = freeId(taken, id);
    taken.push(fresh);
    renamed.set(id, fresh);
  }
  const nodes = clip.nodes.map(node => {
    const wired = mapSelectors({ ...node, id: renamed.get(node.id) ?? node.id }, text => {
      const source = sourceOf(text);
      if (source === null) return text;
      if (renamed.has(source)) return renameIn(text, id => renamed.get(id) ?? id);
      return known.has(source) ? text : undefined;
    });
    return structuredClone(wired);
  });
  const offset = freeOffset(definition, clip);
  const places = [...clip.places].map(
    ([id, [x, y]]) => [renamed.get(id) ?? id, [x + offset, y + offset]] as const satisfies [string, Position],
  );
  const next = move({ ...definition, nodes: [...definition.nodes, ...nodes] }, places);
  return { definition: next, ids: [...renamed.values()] };
}

/** The first step at which no node of the clip would lie on one that is there. */
function freeOffset(definition: Definition, clip: Clip): number {
  const held = new Set([...drawnPlaces(definition).values()].map(String));
  const meets = (offset: number) =>
    [...clip.places.values()].some(([x, y]) => held.has(`${x + offset},${y + offset}`));
  let offset = STEP;
  while (meets(offset)) offset += STEP;
  return offset;
}

export function writeClip({ nodes, places }: Clip): string {
  return JSON.stringify({ nodes, positions: Object.fromEntries(places) }, null, 2);
}

/** A clip, or why it cannot be pasted; null where the text is about something else. */
export type Pasted = { clip: Clip } | { fault: string } | null;

/** Nodes from a text: what the editor copied, or a part of a workflow somebody wrote. */
export function readClip(text: string): Pasted {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return /^\s*\{[^]*"nodes"/.test(text) ? { fault: 'What was copied is not whole: it is no JSON.' } : null;
  }
  if (!isObject(value) || !Array.isArray(value.nodes)) return null;
  const nodes: unknown[] = value.nodes;
  if (nodes.length === 0) return null;
  const at = nodes.findIndex(node => !isNode(node));
  if (at >= 0) return { fault: `Its node ${at + 1} is none: a node has an id and a type.` };
  const sound = nodes as NodeDefinition[];
  const ids = new Set(sound.map(node => node.id));
  if (ids.size < sound.length) return { fault: 'Two of its nodes have the same id.' };
  const ui = isObject(value.ui) ? value.ui.positions : undefined;
  const saved = new Map([...readPlaces(value.positions ?? ui)].filter(([id]) => ids.has(id)));
  return { clip: { nodes: sound, places: drawnPlaces(putPlaces({ nodes: sound }, saved)) } };
}

function isNode(value: unknown): value is NodeDefinition {
  if (!isObject(value)) return false;
  const { id, type, inputs = {}, config = {} } = value;
  return (
    typeof id === 'string' && isNodeId(id) && typeof type === 'string' && isObject(inputs) && isObject(config)
  );
}
