import { describe, expect, it } from 'vitest';
import { shownStatus } from './expected';
import { emptyCounts } from './state';

describe('a node in a loop', () => {
  it('goes on between two items, until the run is over', () => {
    const node = { counts: { ...emptyCounts(), completed: 2 }, total: 2 };
    expect(shownStatus(node, 3, false)).toBe('running');
    expect(shownStatus(node, 2, false)).toBe('completed');
    // The run failed elsewhere, or the record lacks the rest.
    expect(shownStatus(node, 3, true)).toBe('completed');
  });
});
