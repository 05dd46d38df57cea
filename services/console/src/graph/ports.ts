/**
 * The ports of a block where it is placed. Blocks describe their ports; where those depend on the configuration or on what
 * is wired to them, the rules here say how, as the server's do. The server has the last word: it validates every change.
 */
import type { Block, BlockOutput, Definition, JsonObject, NodeDefinition } from '~/api/types';
import { entryOf, isObject } from '~/lib/json';
import { elementOf } from './kinds';
import { blockName, edgesOf } from './selectors';

export interface InPort {
  name: string;
  kinds: string[];
  required: boolean;
  help: string;
  /** Where its selector stands in the node. */
  place: string[];
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

/** The ports of every node, kinds followed along the edges. */
export function portsOf(definition: Definition, catalogue: Catalogue): Map<string, PlacedPorts> {
  const byId = new Map(definition.nodes.map(node => [node.id, node]));
  const wired = new Map<string, { port: string; source: string; sourcePort: string | null }[]>();
  for (const edge of edgesOf(definition)) {
    if (edge.place[0] !== 'inputs' || edge.place.length !== 2) continue;
    const list = wired.get(edge.target) ?? [];
    list.push({ port: edge.place[1] ?? '', source: edge.source, sourcePort: edge.sourcePort });
    wired.set(edge.target, list);
  }
  const done = new Map<string, PlacedPorts>();
  const visiting = new Set<string>();
  const place = (id: string): PlacedPorts | undefined => {
    const known = done.get(id);
    const node = byId.get(id);
    if (known || !node || visiting.has(id)) return known;
    visiting.add(id);
    const kinds = new Map<string, string>();
    for (const { port, source, sourcePort } of wired.get(id) ?? []) {
      const outputs = place(source)?.outputs ?? [];
      const output = sourcePort === null ? outputs[0] : outputs.find(one => one.name === sourcePort);
      kinds.set(port, output?.kind ?? 'any');
    }
    const block = blockOf(catalogue, node);
    const ports = { inputs: inputsOf(node, block), outputs: block ? outputsOf(node, block, kinds) : [] };
    visiting.delete(id);
    done.set(id, ports);
    return ports;
  };
  definition.nodes.forEach(node => place(node.id));
  return done;
}

function inputsOf(node: NodeDefinition, block: Block | undefined): InPort[] {
  const fixed = (block?.inputs ?? []).map(port => ({ ...port, place: ['inputs', port.name] }));
  const named = new Set(fixed.map(port => port.name));
  const further = Object.keys(node.inputs ?? {})
    .filter(name => !named.has(name))
    .map(name => ({
      name,
      kinds: [block?.further_inputs ?? 'any'],
      required: false,
      help: 'An input that this workflow names itself.',
      place: ['inputs', name],
    }));
  return [...fixed, ...further];
}

function outputsOf(node: NodeDefinition, block: Block, wired: ReadonlyMap<string, string>): BlockOutput[] {
  if (!block.outputs_vary) return block.outputs;
  const config: JsonObject = { ...defaultsOf(block), ...node.config };
  const kindOf = (name: string) => wired.get(name) ?? 'any';
  const only = (...names: string[]) => block.outputs.filter(port => names.includes(port.name));
  const typed = (kinds: Record<string, string>) =>
    block.outputs.map(port => ({ ...port, kind: entryOf(kinds, port.name) ?? port.kind }));
  switch (block.type) {
    case 'image_input':
      return only(config.list === true ? 'images' : 'image');
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
