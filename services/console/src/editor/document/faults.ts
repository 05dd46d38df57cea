/** What the server finds wrong, or surely not meant, by node and by field. */
import type { Definition, Fault } from '~/api/types';
import { pointerTokens } from '~/lib/json';

export interface ToldFault extends Fault {
  /** Whether it is a warning: the workflow can be saved and run all the same. */
  mild: boolean;
}

export interface NodeFault extends ToldFault {
  /** Where in the node: `['config', 'confidence']`. */
  place: string[];
}

export interface FaultIndex {
  byNode: ReadonlyMap<string, readonly NodeFault[]>;
  /** Of the workflow as a whole. */
  rest: readonly ToldFault[];
}

export const NO_FAULTS: FaultIndex = { byNode: new Map(), rest: [] };

/** The faults of a definition, or what the server warns of; the pointers are into it. */
export function indexFaults(
  definition: Definition,
  faults: readonly Fault[],
  as: 'faults' | 'warnings' = 'faults',
): FaultIndex {
  const byNode = new Map<string, NodeFault[]>();
  const rest: ToldFault[] = [];
  for (const told of faults) {
    const fault = { ...told, mild: as === 'warnings' };
    const [list, index, ...place] = pointerTokens(fault.pointer);
    const node = list === 'nodes' ? definition.nodes[Number(index)]?.id : fault.node;
    if (node == null) rest.push(fault);
    else byNode.set(node, [...(byNode.get(node) ?? []), { ...fault, place: list === 'nodes' ? place : [] }]);
  }
  return { byNode, rest };
}

/** The faults at a place or below it. */
export function faultsAt(faults: readonly NodeFault[] | undefined, place: readonly string[]): NodeFault[] {
  return (faults ?? []).filter(fault => isWithin(fault, place));
}

/** The faults at none of these places, nor below one. */
export function faultsElsewhere(
  faults: readonly NodeFault[] | undefined,
  places: readonly (readonly string[])[],
): NodeFault[] {
  return (faults ?? []).filter(fault => !places.some(place => isWithin(fault, place)));
}

function isWithin(fault: NodeFault, place: readonly string[]): boolean {
  return place.every((token, index) => fault.place[index] === token);
}

/** Whether there is nothing among these but warnings. */
export function areMild(faults: readonly ToldFault[]): boolean {
  return faults.every(fault => fault.mild);
}
