/** What the server finds wrong, by node and by field. */
import type { Definition, Fault } from '~/api/types';
import { pointerTokens } from '~/lib/json';

export interface NodeFault extends Fault {
  /** Where in the node: `['config', 'confidence']`. */
  place: string[];
}

export interface FaultIndex {
  byNode: ReadonlyMap<string, readonly NodeFault[]>;
  /** Of the workflow as a whole. */
  rest: readonly Fault[];
}

export const NO_FAULTS: FaultIndex = { byNode: new Map(), rest: [] };

/** The faults of a definition; the pointers are into it. */
export function indexFaults(definition: Definition, faults: readonly Fault[]): FaultIndex {
  const byNode = new Map<string, NodeFault[]>();
  const rest: Fault[] = [];
  for (const fault of faults) {
    const [list, index, ...place] = pointerTokens(fault.pointer);
    const node = list === 'nodes' ? definition.nodes[Number(index)]?.id : fault.node;
    if (node == null) rest.push(fault);
    else byNode.set(node, [...(byNode.get(node) ?? []), { ...fault, place: list === 'nodes' ? place : [] }]);
  }
  return { byNode, rest };
}

/** The faults at a place or below it. */
export function faultsAt(faults: readonly NodeFault[] | undefined, place: readonly string[]): NodeFault[] {
  return (faults ?? []).filter(fault => place.every((token, index) => fault.place[index] === token));
}
