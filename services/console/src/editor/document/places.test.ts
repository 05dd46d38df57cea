import { describe, expect, it } from 'vitest';
import type { Definition } from '~/api/types';
import { placesOf } from '~/graph/places';
import { drawnPlaces, freePlace, withPlaces, type Box } from './places';

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

describe('a new node', () => {
  const size = { width: 240, height: 120 };
  const at = (x: number, y: number): Box => ({ x, y, ...size });

  it('stands in the middle where nothing lies there, and below what does', () => {
    expect(freePlace(size, [500, 300], undefined, [])).toEqual([380, 240]);
    expect(freePlace(size, [500, 300], undefined, [at(900, 240), at(380, 500)])).toEqual([380, 240]);
    expect(freePlace(size, [500, 300], undefined, [at(500, 300), at(200, 200)])).toEqual([380, 460]);
  });

  it('stands beside the selected one, and no two at the same place', () => {
    const taken = [at(0, 0)];
    for (let count = 0; count < 3; count += 1) {
      const [x, y] = freePlace(size, [0, 0], taken[0], taken);
      taken.push(at(x, y));
    }
    expect(taken.slice(1).map(({ x, y }) => [x, y])).toEqual([
      [300, 0],
      [300, 160],
      [300, 320],
    ]);
  });
});
