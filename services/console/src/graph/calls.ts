/**
 * Calls: nodes that stand for another workflow, which the definition brings along under `workflows` or which is saved. What such
 * a node takes are that workflow's inputs, and what it gives are what its outputs are given; the names are as the compiler's.
 */
import type { BlockOutput, Definition, Json, NodeDefinition } from '~/api/types';
import { entryOf, isObject } from '~/lib/json';
import type { InPort, PlacedPorts } from './ports';
import { areNodes, blockName, edgesOf, isInputNode, outputAt } from './selectors';

/** Workflows by the name under which a definition brings them along. */
export type Library = Readonly<Record<string, unknown>>;

/** A call of a saved workflow. */
export interface SavedCall {
  key: string;
  workflow: string;
  /** The newest where none is named. */
  version: number | undefined;
}

/** A workflow that is called, and where what it calls itself is looked up, the nearest last. */
export interface Called {
  definition: Definition;
  libraries: readonly Library[];
}

const ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Whether it can be the id of a saved workflow, which no name of one looks like. */
export function isWorkflowId(text: string): boolean {
  return ID.test(text);
}

/** What a node calls; null for other nodes, and where nothing is chosen yet. */
export function callOf(node: NodeDefinition): SavedCall | null {
  if (blockName(node.type) !== 'sub_workflow' || !isObject(node.config)) return null;
  const { workflow, version } = node.config;
  if (typeof workflow !== 'string' || workflow === '') return null;
  return typeof version === 'number'
    ? { key: `${workflow}@${version}`, workflow, version }
    : { key: workflow, workflow, version: undefined };
}

/** The saved workflows that are called and not brought along, each once. */
export function savedCalls(definition: Definition): SavedCall[] {
  const own = libraryOf(definition);
  const calls = definition.nodes.flatMap(node => callOf(node) ?? []);
  const saved = calls.filter(call => isWorkflowId(call.workflow) && !Object.hasOwn(own, call.key));
  return [...new Map(saved.map(call => [call.key, call])).values()];
}

/** The workflows that a definition brings along. */
export function libraryOf(definition: Definition): Library {
  return isObject(definition.workflows) ? definition.workflows : {};
}

/** The workflow that a node calls, from the nearest library that has it; null where it is not known. */
export function calledBy(node: NodeDefinition, libraries: readonly Library[]): Called | null {
  const key = callOf(node)?.key;
  if (key === undefined) return null;
  const at = libraries.findLastIndex(library => Object.hasOwn(library, key));
  const found = entryOf(libraries[at] ?? {}, key);
  if (!isObject(found) || !areNodes(found.nodes)) return null;
  const definition = found as unknown as Definition;
  return { definition, libraries: [...libraries.slice(0, at + 1), libraryOf(definition)] };
}

/** What a call of this workflow takes. */
export function takenBy({ nodes }: Definition): InPort[] {
  return nodes.filter(isInputNode).map(node => {
    const config = isObject(node.config) ? node.config : {};
    const isImage = blockName(node.type) === 'image_input';
    return {
      name: node.id,
      kinds: isImage ? imageKinds(config.list) : [kindOr(config.kind)],
      required: isImage ? config.required !== false : config.default === undefined,
      help: typeof config.description === 'string' ? config.description : 'An input of the workflow.',
      place: ['inputs', node.id],
      further: false,
    };
  });
}

function imageKinds(list: Json | undefined): string[] {
  if (typeof list !== 'boolean') return ['image', 'list<image>'];
  return [list ? 'list<image>' : 'image'];
}

const kindOr = (kind: Json | undefined) => (typeof kind === 'string' ? kind : 'any');

/** What a call of this workflow gives: by the port alone where it has one output, behind the output's id where it has several. */
export function givenBy(definition: Definition, ports: ReadonlyMap<string, PlacedPorts>): BlockOutput[] {
  const kinds = new Map(
    edgesOf(definition).map(({ id, source, sourcePort }) => [
      id,
      outputAt(ports.get(source)?.outputs ?? [], sourcePort)?.kind,
    ]),
  );
  const results = definition.nodes.filter(node => blockName(node.type) === 'json_output');
  return results.flatMap(({ id, inputs }) =>
    Object.keys(inputs ?? {}).map(port => ({
      name: results.length === 1 ? port : `${id}.${port}`,
      kind: kinds.get(`${id}/inputs/${port}`) ?? 'any',
      help: 'An output of the workflow.',
    })),
  );
}
