/** Places for every node: those that are saved, and beside them a layout for the others. */
import type { Definition } from '~/api/types';
import { layered } from '~/graph/layers';
import { placesOf, type Position } from '~/graph/places';
import { edgesOf } from '~/graph/selectors';
import { isObject } from '~/lib/json';

export const NODE_WIDTH = 240;

/** About as large as it will be. */
export function sizeOf(node: { inputs?: object }): { width: number; height: number } {
  return { width: NODE_WIDTH, height: 74 + 24 * Math.max(2, Object.keys(node.inputs ?? {}).length) };
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What is left free between a node and one that is put beside it, and below it. */
const BESIDE = 60;
const BELOW = 40;

/** Where a new node goes: beside the one that is selected, else at `middle`; below all that would lie under it there. */
export function freePlace(
  size: { width: number; height: number },
  middle: Position,
  selected: Box | undefined,
  taken: readonly Box[],
): Position {
  const x = selected ? selected.x + selected.width + BESIDE : middle[0] - size.width / 2;
  let y = selected ? selected.y : middle[1] - size.height / 2;
  const columns = taken.filter(box => box.x < x + size.width && x < box.x + box.width);
  for (const box of columns.sort((a, b) => a.y - b.y)) {
    if (box.y < y + size.height && y < box.y + box.height) y = box.y + box.height + BELOW;
  }
  return [x, y];
}

/** Where each node is drawn. */
export function drawnPlaces(definition: Definition): Map<string, Position> {
  const saved = placesOf(definition);
  if (definition.nodes.every(node => saved.has(node.id))) return saved;
  const sized = definition.nodes.map(node => ({ id: node.id, ...sizeOf(node) }));
  return new Map([...layered(sized, edgesOf(definition)), ...saved]);
}

/** The definition with the drawn places written down: what is changed next then moves nothing else. */
export function withPlaces(definition: Definition): Definition {
  const saved = placesOf(definition);
  if (definition.nodes.every(node => saved.has(node.id))) return definition;
  return putPlaces(definition, drawnPlaces(definition));
}

export function putPlaces(definition: Definition, places: ReadonlyMap<string, Position>): Definition {
  const ui = isObject(definition.ui) ? definition.ui : {};
  return { ...definition, ui: { ...ui, positions: Object.fromEntries(places) } };
}
