/** Where a definition says that its nodes stand. Anybody may have written it: what is no place is taken for none. */
import type { Definition } from '~/api/types';
import { isObject } from '~/lib/json';

export type Position = [number, number];

/** The saved places by node. A map, for a node may be called `constructor`, which every object has something under. */
export function placesOf(definition: Definition): Map<string, Position> {
  const ui: unknown = definition.ui;
  return readPlaces(isObject(ui) ? ui.positions : undefined);
}

/** Places written as an object: those that are two finite numbers. */
export function readPlaces(written: unknown): Map<string, Position> {
  const entries = isObject(written) ? Object.entries(written) : [];
  return new Map(
    entries.flatMap(([id, at]) => {
      const [x, y, ...more] = Array.isArray(at) ? at : [];
      const sound = Number.isFinite(x) && Number.isFinite(y) && more.length === 0;
      return sound ? [[id, [x as number, y as number]]] : [];
    }),
  );
}
