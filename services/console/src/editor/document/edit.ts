/** Changes of a definition. Each gives a new one and leaves the parts that it does not touch as they are. */
import type { Block, Definition, Json, JsonObject, NodeDefinition } from '~/api/types';
import { placesOf, type Position } from '~/graph/places';
import { blockName, isInputNode, parseSelector, writeSelector } from '~/graph/selectors';
import { isObject } from '~/lib/json';
import { putPlaces } from './places';

const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

/** Whether `id` may be a node's id. */
export function isNodeId(id: string): boolean {
  return NAME.test(id);
}

/** What the workflow is called. Anybody may have written it: what is no text is no name, and the server says so. */
export function nameOf(definition: Definition): string {
  const name: unknown = definition.name;
  return typeof name === 'string' ? name : '';
}

export function nodeById(definition: Definition, id: string): NodeDefinition | undefined {
  return definition.nodes.find(node => node.id === id);
}

/** `wanted`, or `wanted_2`, `wanted_3` … where it is taken. */
export function freeId(taken: Iterable<string>, wanted: string): string {
  const names = new Set(taken);
  const stem = wanted.replace(/_\d+$/, '');
  let name = wanted;
  for (let number = 2; names.has(name); number += 1) name = `${stem}_${number}`;
  return name;
}

/**
 * Adds a block; it is named as its own first example names it. Those of logic are named in their examples by what goes through
 * them there, which says nothing here: they are named by what they are. Gives the new node's id as well.
 */
export function addNode(
  definition: Definition,
  block: Block,
  position: Position,
  config: JsonObject = {},
): { definition: Definition; id: string } {
  const wanted = (block.category !== 'logic' && block.examples[0]?.node.id) || block.type;
  const id = freeId(
    definition.nodes.map(node => node.id),
    isNodeId(wanted) ? wanted : block.type,
  );
  const node: NodeDefinition = { id, type: block.type, ...(Object.keys(config).length > 0 && { config }) };
  return { definition: move({ ...definition, nodes: [...definition.nodes, node] }, [[id, position]]), id };
}

export function updateNode(
  definition: Definition,
  id: string,
  change: (node: NodeDefinition) => NodeDefinition,
): Definition {
  return { ...definition, nodes: definition.nodes.map(node => (node.id === id ? change(node) : node)) };
}

/** Removes nodes, and every selector that named them. */
export function removeNodes(definition: Definition, ids: ReadonlySet<string>): Definition {
  const kept = definition.nodes.filter(node => !ids.has(node.id));
  const nodes = kept.map(node =>
    mapSelectors(node, text => (ids.has(sourceOf(text) ?? '') ? undefined : text)),
  );
  const next = { ...definition, nodes };
  return definition.ui ? putPlaces(next, new Map([...placesOf(next)].filter(([id]) => !ids.has(id)))) : next;
}

export function renameNode(definition: Definition, from: string, to: string): Definition {
  const nodes = definition.nodes.map(node =>
    mapSelectors(node.id === from ? { ...node, id: to } : node, text =>
      renameIn(text, id => (id === from ? to : id)),
    ),
  );
  const next = { ...definition, nodes };
  const places = new Map([...placesOf(next)].map(([id, at]) => [id === from ? to : id, at]));
  return definition.ui ? putPlaces(next, places) : next;
}

export function move(definition: Definition, moved: Iterable<readonly [string, Position]>): Definition {
  const places = placesOf(definition);
  for (const [id, [x, y]] of moved) places.set(id, [Math.round(x), Math.round(y)]);
  return putPlaces(definition, places);
}

/** Sets the value at a place of a node, such as `['config', 'tile', 'overlap_x']`; undefined takes it away. */
export function setAt(
  definition: Definition,
  id: string,
  place: readonly string[],
  value: Json | undefined,
): Definition {
  return updateNode(definition, id, node => {
    const next = withValue(node as unknown as JsonObject, place, value) as unknown as NodeDefinition;
    return dropEmpty(next);
  });
}

function withValue(
  holder: Json | undefined,
  place: readonly string[],
  value: Json | undefined,
): Json | undefined {
  const [name, ...rest] = place;
  if (name === undefined) return value;
  if (Array.isArray(holder)) {
    return holder.flatMap((item, index) => {
      if (String(index) !== name) return [item];
      const part = withValue(item, rest, value);
      return part === undefined ? [] : [part];
    });
  }
  // Not by `fields[name]`: names are the user's, and an input may be called `__proto__`.
  const fields = new Map(isObject(holder) ? Object.entries(holder) : []);
  const part = withValue(fields.get(name), rest, value);
  if (part === undefined) fields.delete(name);
  else fields.set(name, part);
  return Object.fromEntries(fields) as JsonObject;
}

/** How a node is tried again, with so many attempts at most; what else is set stays. */
export function withAttempts(retry: JsonObject, attempts: number | undefined): JsonObject | undefined {
  const next = { ...retry };
  if (attempts === undefined) delete next.max_attempts;
  else next.max_attempts = attempts;
  return Object.keys(next).length > 0 ? next : undefined;
}

function dropEmpty(node: NodeDefinition): NodeDefinition {
  const next = { ...node };
  for (const field of ['inputs', 'config'] as const) {
    if (next[field] && Object.keys(next[field]).length === 0) delete next[field];
  }
  return next;
}

/** Wires an output port to a place of another node. */
export function connect(
  definition: Definition,
  from: { node: string; port: string },
  to: { node: string; place: readonly string[] },
): Definition {
  const source = nodeById(definition, from.node);
  return source ? setAt(definition, to.node, to.place, writeSelector(source, from.port)) : definition;
}

/** Takes wires away by where they end; places are those of `definition`. */
export function removeWires(
  definition: Definition,
  ends: readonly { node: string; place: readonly string[] }[],
): Definition {
  // From the back: an item that is taken out of a list moves those behind it.
  const order = new Intl.Collator('en', { numeric: true });
  return [...ends]
    .sort((a, b) => order.compare(b.place.join('/'), a.place.join('/')))
    .reduce((next, { node, place }) => setAt(next, node, place, undefined), definition);
}

/** Moves a wire to other ports. An end that stays at its port stays at its place there, which may be an item of a list. */
export function rewire(
  definition: Definition,
  old: { node: string; place: readonly string[] },
  from: { node: string; port: string },
  to: { node: string; place: readonly string[] },
): Definition {
  const stays = old.node === to.node && to.place.every((token, at) => token === old.place[at]);
  return stays ? connect(definition, from, old) : connect(removeWires(definition, [old]), from, to);
}

/** A name for a further input, made from where its value comes from. */
export function inputName(target: NodeDefinition, from: { node: string; port: string }): string {
  // Of what an output of a called workflow is given, what is behind the output's id.
  const port = from.port.slice(from.port.indexOf('.') + 1);
  const generic = ['image', 'value', 'items', 'item', 'output', '*'].includes(port);
  return freeId(Object.keys(target.inputs ?? {}), generic ? from.node : port);
}

/** Calls an input that the workflow names itself by another name; it stays where it stands among the others. */
export function renameInput(definition: Definition, id: string, from: string, to: string): Definition {
  return updateNode(definition, id, node => {
    const entries = Object.entries(node.inputs ?? {}).map(([name, value]) => [
      name === from ? to : name,
      value,
    ]);
    return { ...node, inputs: Object.fromEntries(entries) as JsonObject };
  });
}

/** The node that a selector names; null for `$item`, `$index` and literals. */
export function sourceOf(text: string): string | null {
  const selector = parseSelector(text);
  return selector && selector.kind !== 'item' ? selector.node : null;
}

export function renameIn(text: string, rename: (id: string) => string): string {
  const selector = parseSelector(text);
  if (selector?.kind === 'input') return `$inputs.${rename(selector.node)}`;
  return selector?.kind === 'node' ? `$nodes.${rename(selector.node)}.${selector.port}` : text;
}

/** The node with each selector replaced; undefined takes it away. Parts without selectors stay the same objects. */
export function mapSelectors(
  node: NodeDefinition,
  replace: (text: string) => string | undefined,
): NodeDefinition {
  const visit = (value: Json): Json | undefined => {
    if (typeof value === 'string') return parseSelector(value) ? replace(value) : value;
    if (Array.isArray(value)) {
      const items = value.map(visit);
      return items.every((item, index) => item === value[index])
        ? value
        : items.filter(item => item !== undefined);
    }
    if (!isObject(value)) return value;
    const fields = Object.entries(value).map(([name, part]) => [name, visit(part)] as const);
    if (fields.every(([name, part]) => part === value[name])) return value;
    return Object.fromEntries(fields.filter(([, part]) => part !== undefined)) as JsonObject;
  };
  const next = { ...node };
  let changed = false;
  for (const field of ['inputs', 'config'] as const) {
    const before = node[field];
    if (!before) continue;
    const after = visit(before);
    if (after === before) continue;
    next[field] = after as JsonObject;
    changed = true;
  }
  return changed ? dropEmpty(next) : node;
}

/** What a node is, in a word, for messages. */
export function describeNode(node: NodeDefinition): string {
  return isInputNode(node) ? `input ${node.id}` : `${node.id} (${blockName(node.type)})`;
}
