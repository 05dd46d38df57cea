import type { Node } from '@xyflow/react';
import type { Definition } from '~/api/types';
import { drawnPlaces, sizeOf } from '../document/places';

export type CanvasNode = Node<Record<string, never>, 'block'>;

const DATA: Record<string, never> = {};

/** The nodes where the document says; those without a place are laid out beside the others. */
export function placedNodes(definition: Definition): CanvasNode[] {
  const places = drawnPlaces(definition);
  return definition.nodes.map(node => {
    const [x, y] = places.get(node.id) ?? [0, 0];
    const size = sizeOf(node);
    return {
      id: node.id,
      type: 'block',
      position: { x, y },
      initialWidth: size.width,
      initialHeight: size.height,
      ariaLabel: `Node ${node.id}`,
      data: DATA,
    };
  });
}

/** The drawn nodes brought up to date: measures and drags are kept, and what did not change stays the same object. */
export function mergeNodes(
  before: readonly CanvasNode[],
  placed: readonly CanvasNode[],
  selection: ReadonlySet<string>,
): CanvasNode[] {
  const known = new Map(before.map(node => [node.id, node]));
  return placed.map(node => {
    const old = known.get(node.id);
    const selected = selection.has(node.id);
    if (!old) return { ...node, selected };
    const position = old.dragging ? old.position : node.position;
    const same =
      old.position.x === position.x && old.position.y === position.y && Boolean(old.selected) === selected;
    return same ? old : { ...old, position, selected };
  });
}
