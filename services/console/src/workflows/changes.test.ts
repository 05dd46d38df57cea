import { describe, expect, it } from 'vitest';
import { changesBetween } from './changes';

describe('changesBetween', () => {
  it('tells nodes apart by name and fields by place', () => {
    const before = {
      name: 'w',
      nodes: [
        { id: 'a', type: 'x', config: { n: 1, deep: { m: 1 } } },
        { id: 'b', type: 'y' },
      ],
      ui: { positions: { a: [0, 0] as [number, number] } },
    };
    const after = {
      name: 'w',
      nodes: [
        { id: 'c', type: 'z' },
        { id: 'a', type: 'x', config: { n: 1, deep: { m: 2 } } },
      ],
      ui: { positions: { a: [9, 9] as [number, number] } },
    };
    expect(changesBetween(before, after)).toEqual([
      { kind: 'added', node: 'c', type: 'z', fields: [] },
      { kind: 'changed', node: 'a', type: 'x', fields: [{ place: 'config.deep.m', before: 1, after: 2 }] },
      { kind: 'removed', node: 'b', type: 'y', fields: [] },
    ]);
    expect(changesBetween(before, { ...before, ui: {} })).toEqual([]);
    expect(changesBetween(before, { ...before, name: 'v' })[0]).toMatchObject({ node: null });
  });
});
