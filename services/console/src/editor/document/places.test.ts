import { describe, expect, it } from 'vitest';
import type { Definition } from '~/api/types';
import { placesOf } from '~/graph/places';
import { drawnPlaces, withPlaces } from './places';

const nodes = ['constructor', 'toString', '__proto__', 'p'].map(id => ({ id, type: 'delay' }));

describe('places', () => {
  it('are two finite numbers, or none', () => {
    const positions = {
      p: { x: 1, y: 2 },
      q: ['a', 'b'],
      r: [1, null],
      s: [1, 2, 3],
      t: [1],
      good: [-4, 0.5],
    };
    expect(placesOf({ nodes, ui: { positions } } as unknown as Definition)).toEqual(
      new Map([['good', [-4, 0.5]]]),
    );
    for (const ui of [undefined, null, 7, [], { positions: null }, { positions: [[1, 2]] }]) {
      const found = placesOf({ nodes, ui } as unknown as Definition);
      expect([...found.keys()].filter(id => id !== '0')).toEqual([]);
    }
  });

  it('are found for every node, whatever it is called', () => {
    const places = drawnPlaces({ nodes });
    expect(places.size).toBe(4);
    expect(new Set([...places.values()].map(String)).size).toBe(4);
    for (const at of places.values()) expect(at.every(Number.isFinite)).toBe(true);
  });

  it('are written down as they are drawn, and once', () => {
    const definition: Definition = { nodes, ui: { positions: { p: [7, 8] }, note: 'kept' } };
    const placed = withPlaces(definition);
    expect(placesOf(placed)).toEqual(drawnPlaces(definition));
    expect(placed.ui?.note).toBe('kept');
    expect(withPlaces(placed)).toBe(placed);
  });
});
