import { describe, expect, it } from 'vitest';
import { loopsOf } from './loops';

describe('loopsOf', () => {
  it('finds the innermost loop, and ends at its collect', () => {
    const loops = loopsOf({
      nodes: [
        { id: 'list', type: 'parameter_input' },
        { id: 'outer', type: 'for_each', inputs: { items: '$inputs.list' } },
        { id: 'a', type: 'delay', inputs: { value: '$nodes.outer.item' } },
        { id: 'inner', type: 'for_each', inputs: { items: '$nodes.a.value' } },
        { id: 'b', type: 'delay', inputs: { value: '$nodes.inner.item' } },
        { id: 'bs', type: 'collect', inputs: { item: '$nodes.b.value' } },
        { id: 'as', type: 'collect', inputs: { item: '$nodes.bs.items' } },
        { id: 'out', type: 'json_output', inputs: { all: '$nodes.as.items' } },
      ],
    });
    expect(Object.fromEntries(loops)).toEqual({ a: 'outer', inner: 'outer', b: 'inner' });
  });
});
