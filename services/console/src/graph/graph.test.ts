import { describe, expect, it } from 'vitest';
import type { Block, Definition } from '~/api/types';
import { fits } from './kinds';
import { layered, layeredDown } from './layers';
import { catalogueOf, portsOf } from './ports';
import { edgesOf, parseSelector } from './selectors';

describe('selectors', () => {
  it('are told from literals', () => {
    expect(parseSelector('$inputs.photo')).toEqual({ kind: 'input', node: 'photo' });
    expect(parseSelector('$steps.a.b')).toEqual({ kind: 'node', node: 'a', port: 'b' });
    expect(parseSelector('$index')).toEqual({ kind: 'item', port: 'index' });
    for (const text of ['$$5', 'plain', '$nodes.a', 7, null]) expect(parseSelector(text)).toBeNull();
  });

  it('are the edges, at any depth and in the configuration too', () => {
    const definition: Definition = {
      nodes: [
        { id: 'photo', type: 'image_input' },
        { id: 'each', type: 'for_each@1', inputs: { items: '$nodes.cut.crops' } },
        {
          id: 'cut',
          type: 'crop',
          inputs: { image: '$inputs.photo' },
          config: { region: ['$nodes.x.y', 0] },
        },
        { id: 'x', type: 'map', inputs: { a: '$item', gone: '$nodes.nobody.port' } },
      ],
    };
    expect(edgesOf(definition).map(edge => `${edge.source}.${edge.sourcePort}>${edge.id}`)).toEqual([
      'cut.crops>each/inputs/items',
      'photo.null>cut/inputs/image',
      'x.y>cut/config/region/0',
      'each.item>x/inputs/a',
    ]);
  });
});

describe('kinds', () => {
  it('fit as the compiler has it', () => {
    expect(fits('integer', 'float')).toBe(true);
    expect(fits('float', 'integer')).toBe(false);
    expect(fits('list<image>', 'list<any>')).toBe(true);
    expect(fits('list<image>', 'image')).toBe(false);
    expect(fits('detections', 'object')).toBe(true);
    expect(fits('list<any>', 'object')).toBe(false);
    expect(fits('string', 'object')).toBe(false);
  });
});

describe('ports', () => {
  const block = (
    type: string,
    outputs: [string, string][],
    vary: boolean,
    further: string | null = null,
  ): Block => ({
    type,
    version: 1,
    id: `${type}@1`,
    category: 'logic',
    title: type,
    help: '',
    runs: { by: 'orchestrator' },
    pure: true,
    config: {},
    inputs: [],
    further_inputs: further,
    outputs: outputs.map(([name, kind]) => ({ name, kind, help: '' })),
    outputs_vary: vary,
    further_outputs: false,
    examples: [],
  });
  const catalogue = catalogueOf([
    block(
      'image_input',
      [
        ['image', 'image'],
        ['images', 'list<image>'],
      ],
      true,
    ),
    block(
      'for_each',
      [
        ['item', 'any'],
        ['index', 'integer'],
      ],
      true,
    ),
    block('collect', [['items', 'list<any>']], true),
    block('switch', [['default', 'any']], true),
    block('json_output', [], false, 'any'),
  ]);

  it('follow the kinds along the edges', () => {
    const ports = portsOf(
      {
        nodes: [
          { id: 'back', type: 'collect', inputs: { item: '$nodes.each.item' } },
          { id: 'photos', type: 'image_input', config: { list: true } },
          { id: 'each', type: 'for_each', inputs: { items: '$inputs.photos' } },
          { id: 'out', type: 'json_output', inputs: { pictures: '$nodes.back.items' } },
          {
            id: 'which',
            type: 'switch',
            inputs: { value: '$nodes.each.index' },
            config: { cases: { one: 1, default: 2 } },
          },
        ],
      },
      catalogue,
    );
    expect(ports.get('back')?.outputs[0]?.kind).toBe('list<image>');
    expect(ports.get('out')?.inputs.map(port => port.name)).toEqual(['pictures']);
    expect(ports.get('which')?.outputs.map(port => `${port.name}:${port.kind}`)).toEqual([
      'one:integer',
      'default:integer',
    ]);
  });

  it('survive a cycle', () => {
    const definition = { nodes: [{ id: 'a', type: 'collect', inputs: { item: '$nodes.a.items' } }] };
    expect(portsOf(definition, catalogue).get('a')?.outputs).toHaveLength(1);
  });
});

describe('layered', () => {
  const node = (id: string) => ({ id, width: 200, height: 80 });

  it('puts what depends on something to its right, and nothing on anything else', () => {
    const positions = layered(
      [node('c'), node('a'), node('b')],
      [
        { source: 'a', target: 'b' },
        { source: 'a', target: 'c' },
        { source: 'b', target: 'c' },
      ],
    );
    expect(positions.get('a')?.[0]).toBeLessThan(positions.get('b')?.[0] ?? 0);
    expect(positions.get('b')?.[0]).toBeLessThan(positions.get('c')?.[0] ?? 0);
  });

  it('puts it below where the screen is tall, and what is side by side apart by its width', () => {
    const edges = ['b', 'c'].map(target => ({ source: 'a', target }));
    const places = layeredDown(['a', 'b', 'c'].map(node), edges);
    const [a, b, c] = ['a', 'b', 'c'].map(id => places.get(id));
    expect(a?.[1]).toBeLessThan(b?.[1] ?? 0);
    expect(b?.[1]).toBe(c?.[1]);
    expect(Math.abs((b?.[0] ?? 0) - (c?.[0] ?? 0))).toBeGreaterThanOrEqual(200);
  });

  it('lays out 500 nodes in no time, cycles and all', () => {
    const nodes = Array.from({ length: 500 }, (_, index) => node(`n${index}`));
    const edges = nodes.flatMap((_, index) =>
      [1, 7].map(step => ({ source: `n${index}`, target: `n${(index + step) % 500}` })),
    );
    const begun = performance.now();
    const positions = layered(nodes, edges);
    expect(performance.now() - begun).toBeLessThan(500);
    expect(new Set([...positions.values()].map(String)).size).toBe(500);
  });
});
