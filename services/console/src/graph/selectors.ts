/** Selectors: the strings of a definition that name another node's value. They are the edges. */
import type { BlockOutput, Definition, Json, NodeDefinition } from '~/api/types';
import { isObject } from '~/lib/json';

export interface Edge {
  id: string;
  source: string;
  /**
   * The output port; `*` is all of them, and `OUTPUT.PORT` what an output of a workflow that is called is given. Null where the
   * selector names an input node, which has one.
   */
  sourcePort: string | null;
  target: string;
  /** Where in the node the selector stands: `['inputs', 'image']`, `['config', 'confidence']`. */
  place: string[];
}

export type Selector =
  | { kind: 'input'; node: string }
  | { kind: 'node'; node: string; port: string }
  | { kind: 'item'; port: 'item' | 'index' };

export function parseSelector(text: unknown): Selector | null {
  if (typeof text !== 'string' || !text.startsWith('$') || text.startsWith('$$')) return null;
  if (text === '$item') return { kind: 'item', port: 'item' };
  if (text === '$index') return { kind: 'item', port: 'index' };
  const input = /^\$inputs\.([^.]+)$/.exec(text);
  if (input?.[1]) return { kind: 'input', node: input[1] };
  const port = /^\$(?:nodes|steps)\.([^.]+)\.([^.]+(?:\.[^.]+)?)$/.exec(text);
  return port?.[1] && port[2] ? { kind: 'node', node: port[1], port: port[2] } : null;
}

export function isSelector(value: unknown): value is string {
  return parseSelector(value) !== null;
}

/** Whether a selector stands anywhere in a value. */
export function holdsSelector(value: Json): boolean {
  let holds = false;
  visit(value, [], text => {
    holds ||= isSelector(text);
  });
  return holds;
}

/** How a port is written: input nodes by their name alone. */
export function writeSelector(source: NodeDefinition, port: string): string {
  return isInputNode(source) ? `$inputs.${source.id}` : `$nodes.${source.id}.${port}`;
}

/** Whether it is a list of nodes, as far as they can be told apart and drawn. */
export function areNodes(value: unknown): value is NodeDefinition[] {
  const isNode = (node: unknown) =>
    isObject(node) && typeof node.id === 'string' && typeof node.type === 'string';
  return Array.isArray(value) && value.every(isNode);
}

export function isInputNode(node: NodeDefinition): boolean {
  return /^(image_input|parameter_input)(@|$)/.test(node.type);
}

/** The block's name in `type`, without its version. */
export function blockName(type: string): string {
  return type.split('@', 1)[0] ?? type;
}

/** Every edge of the definition, in the order of its nodes. Selectors that name no node are left to the validator. */
export function edgesOf(definition: Definition): Edge[] {
  const known = new Set(definition.nodes.map(node => node.id));
  const edges: Edge[] = [];
  let loop: string | null = null;
  const firstLoop = definition.nodes.find(node => blockName(node.type) === 'for_each')?.id ?? null;
  for (const node of definition.nodes) {
    for (const field of ['inputs', 'config'] as const) {
      visit(node[field], [field], (text, place) => {
        const selector = parseSelector(text);
        if (!selector) return;
        const source = selector.kind === 'item' ? (loop ?? firstLoop) : selector.node;
        if (source === null || !known.has(source)) return;
        const sourcePort = selector.kind === 'input' ? null : selector.port;
        edges.push({ id: `${node.id}/${place.join('/')}`, source, sourcePort, target: node.id, place });
      });
    }
    if (blockName(node.type) === 'for_each') loop = node.id;
  }
  return edges;
}

/** The output that a selector names; an input node, which is named alone, has one. */
export function outputAt(outputs: readonly BlockOutput[], port: string | null): BlockOutput | undefined {
  return port === null ? outputs[0] : outputs.find(output => output.name === port);
}

function visit(
  value: Json | undefined,
  place: string[],
  found: (text: string, place: string[]) => void,
): void {
  if (typeof value === 'string') found(value, place);
  else if (Array.isArray(value))
    value.forEach((item, index) => visit(item, [...place, String(index)], found));
  else if (isObject(value)) {
    for (const [name, part] of Object.entries(value)) visit(part, [...place, name], found);
  }
}
