import { describe, expect, it } from 'vitest';
import { behind, closesCircle } from './circles';

describe('circles', () => {
  const edges = [
    { source: 'a', target: 'b' },
    { source: 'b', target: 'c' },
  ];

  it('are seen before they are closed', () => {
    expect(closesCircle(edges, 'c', 'a')).toBe(true);
    expect(closesCircle(edges, 'a', 'c')).toBe(false);
    expect(closesCircle(edges, 'a', 'a')).toBe(true);
  });

  it('are looked for once per document', () => {
    expect([...behind(edges, 'a')].sort()).toEqual(['a', 'b', 'c']);
    expect(behind(edges, 'a')).toBe(behind(edges, 'a'));
    expect([...behind([...edges, { source: 'c', target: 'd' }], 'b')].sort()).toEqual(['b', 'c', 'd']);
  });
});
