/**
 * The ports of a block where it is placed. Blocks describe their ports; where those depend on the configuration or on what
 * is wired to them, the rules here say how, as the server's do. The server has the last word: it validates every change.
 */
import type { Block, BlockOutput, Definition, JsonObject, NodeDefinition } from '~/api/types';
import { entryOf, isObject } from '~/lib/json';
import { calledBy, givenBy, libraryOf, takenBy, type Called, type Library } from './calls';
import { elementOf } from './kinds';
import { blockName, edgesOf, outputAt } from './selectors';

export interface InPort {
  name: string;
  kinds: string[];
  required: boolean;
  help: string;
  /** Where its selector stands in the node. */
  place: string[];
  /** Whether the definition names it itself. */
  further: boolean;
}

export interface PlacedPorts {
  inputs: InPort[];
  outputs: BlockOutput[];
}

export type Catalogue = ReadonlyMap<string, Block>;

export function catalogueOf(blocks: readonly Block[]): Catalogue {
  const catalogue = new Map<string, Block>();
  for (const block of blocks) {
    catalogue.set(block.id, block);
    const newest = catalogue.get(block.type);
    if (!newest || newest.version < block.version) catalogue.set(block.type, block);
  }
  return catalogue;
}

export function blockOf(catalogue: Catalogue, node: NodeDefinition): Block | undefined {
  return catalogue.get(node.type) ?? catalogue.get(blockName(node.type));
}

/** Calls inside of calls, as deep as the compiler follows them. */
const DEEPEST = 8;

/** What is known around a workflow. */
interface Around {
  catalogue: Catalogue;
  /** Where the workflows that it calls are looked up, the nearest last. */
  libraries: readonly Library[];
  /** How many calls it lies in. */
  depth: number;
  /** The ports inside of workflows that are called, each of which is looked at once. */
  inside: Map<Definition, ReadonlyMap<string, PlacedPorts>>;
}

/**
 * The ports of every node, kinds followed along the edges. `saved` are workflows that are called and that the definition does not
 * bring along.
 */
export function portsOf(
  definition: Definition,
  catalogue: Catalogue,
  saved: Library = {},
): Map<string, PlacedPorts> {
  const libraries = [saved, libraryOf(definition)];
  return place(definition, { catalogue, libraries, depth: 0, inside: new Map() });
}

function place(definition: Definition, around: Around): Map<string, PlacedPorts> {
  const byId = new Map(definition.nodes.map(node => [node.id, node]));
  const wired = new Map<string, { port: string; source: string; sourcePort: string | null }[]>();
  const used = new Map<string, Set<string>>();
  for (const { source, sourcePort, target, place } of edgesOf(definition)) {
    if (sourcePort !== null) used.set(source, (used.get(source) ?? new Set()).add(sourcePort));
    if (place[0] !== 'inputs' || place.length !== 2) continue;
    const list = wired.get(target) ?? [];
    list.push({ port: place[1] ?? '', source, sourcePort });
    wired.set(target, list);
  }
  const done = new Map<string, PlacedPorts>();
  const visiting = new Set<string>();
  const placeNode = (id: string): PlacedPorts | undefined => {
    const known = done.get(id);
    const node = byId.get(id);
    if (known || !node || visiting.has(id)) return known;
    visiting.add(id);
    const kinds = new Map<string, string>();
    for (const { port, source, sourcePort } of wired.get(id) ?? []) {
      kinds.set(port, outputAt(placeNode(source)?.outputs ?? [], sourcePort)?.kind ?? 'any');
    }
    const block = blockOf(around.catalogue, node);
    const called = calledBy(node, around.libraries);
    const read = used.get(id) ?? new Set();
    const own = block ? outputsOf(node, block, kinds, read) : [];
    const given = called ? givenBy(called.definition, portsInside(called, around)) : [];
    const ports = {
      inputs: inputsOf(node, block, called ? takenBy(called.definition) : []),
      outputs: withRead([...own, ...given], read, block),
    };
    visiting.delete(id);
    done.set(id, ports);
    return ports;
  };
  definition.nodes.forEach(node => placeNode(node.id));
  return done;
}

function portsInside(called: Called, around: Around): ReadonlyMap<string, PlacedPorts> {
  const { definition, libraries } = called;
  const known = around.inside.get(definition);
  if (known || around.depth === DEEPEST) return known ?? new Map();
  // Where it calls itself, which the server refuses, nothing is known of it.
  around.inside.set(definition, new Map());
  const ports = place(definition, { ...around, libraries, depth: around.depth + 1 });
  around.inside.set(definition, ports);
  return ports;
}

function inputsOf(node: NodeDefinition, block: Block | undefined, taken: readonly InPort[]): InPort[] {
  const own = (block?.inputs ?? []).map(port => ({ ...port, place: ['inputs', port.name], further: false }));
  const fixed = [...own, ...taken];
  const named = new Set(fixed.map(port => port.name));
  const further = Object.keys(node.inputs ?? {})
    .filter(name => !named.has(name))
    .map(name => ({
      name,
      kinds: [block?.further_inputs ?? 'any'],
      required: false,
      help: 'An input that this workflow names itself.',
      place: ['inputs', name],
      further: true,
    }));
  return [...fixed, ...further];
}

/** With the ports that are read and that only the server knows: a wire that is there is drawn. */
function withRead(
  outputs: readonly BlockOutput[],
  read: ReadonlySet<string>,
  block: Block | undefined,
): BlockOutput[] {
  const named = new Set(outputs.map(port => port.name));
  const open = block === undefined || block.further_outputs;
  const further = [...read]
    .filter(name => !named.has(name) && (name === '*' || open))
    .map(name =>
      name === '*'
        ? { name, kind: 'object', help: 'All that it gives, as one object.' }
        : { name, kind: 'any', help: 'An output that a selector names.' },
    );
  return [...outputs, ...further];
}

function outputsOf(
  node: NodeDefinition,
  block: Block,
  wired: ReadonlyMap<string, string>,
  read: ReadonlySet<string>,
): BlockOutput[] {
  if (!block.outputs_vary) return block.outputs;
  const config: JsonObject = { ...defaultsOf(block), ...node.config };
  const kindOf = (name: string) => wired.get(name) ?? 'any';
  const only = (...names: string[]) => block.outputs.filter(port => names.includes(port.name));
  const typed = (kinds: Record<string, string>) =>
    block.outputs.map(port => ({ ...port, kind: entryOf(kinds, port.name) ?? port.kind }));
  switch (block.type) {
    case 'image_input':
      return only((config.list ?? read.has('images')) === true ? 'images' : 'image');
    case 'parameter_input':
      return typed({ value: typeof config.kind === 'string' ? config.kind : 'any' });
    case 'crop':
      return config.mode === 'detections' ? only('crops', 'detections') : only('image');
    case 'segmentation':
      return typed({ masks: config.mode === 'instance' ? 'segments' : 'mask' });
    case 'condition':
      return typed({ true: kindOf('value'), false: kindOf('value') });
    case 'filter':
      return typed({ kept: kindOf('items'), dropped: kindOf('items') });
    case 'for_each':
      return typed({ item: elementOf(kindOf('items')) ?? 'any' });
    case 'collect':
      return typed({ items: `list<${kindOf('item')}>` });
    case 'delay':
      return typed({ value: kindOf('value') });
    case 'first_of':
      return typed({ value: commonKind([...wired.values()]) });
    case 'switch': {
      const cases = isObject(config.cases) ? Object.keys(config.cases) : [];
      // That name is taken: the server says so, and two ports of one name cannot be told apart.
      const named = cases
        .filter(name => name !== 'default')
        .map(name => ({
          name,
          kind: kindOf('value'),
          help: 'The value, when it equals the case.',
        }));
      return [...named, ...typed({ default: kindOf('value') })];
    }
    default:
      return block.outputs;
  }
}

function commonKind(kinds: string[]): string {
  const [first = 'any'] = kinds;
  return kinds.every(kind => kind === first) ? first : 'any';
}

/** The defaults that a block's schema states. */
export function defaultsOf(block: Block): JsonObject {
  const fields = Object.entries(block.config.properties ?? {});
  return Object.fromEntries(
    fields.flatMap(([name, schema]) =>
      schema.default === undefined || schema.default === null ? [] : [[name, schema.default]],
    ),
  );
}
