import { expect, it } from 'vitest';
import type { Block } from '~/api/types';
import type { OpenWire } from '../store';
import { fittingBlocks, matchOf } from './fitting';

const block = (type: string, inputs: [string, string, boolean?][], outputs: [string, string][] = []): Block =>
  ({
    type,
    inputs: inputs.map(([name, kind, required = true]) => ({ name, kinds: [kind], required })),
    outputs: outputs.map(([name, kind]) => ({ name, kind })),
  }) as unknown as Block;
const wire = (end: OpenWire['end'], ...kinds: string[]): OpenWire => ({ node: 'a', end, kinds });

const blocks = [
  block('tensor', [['tensors', 'any']], [['outputs', 'object']]),
  block('resize', [['image', 'image']], [['image', 'image']]),
  block(
    'draw_boxes',
    [
      ['image', 'image'],
      ['detections', 'detections', false],
    ],
    [['image', 'image']],
  ),
  block(
    'filter',
    [['items', 'detections']],
    [
      ['kept', 'any'],
      ['count', 'integer'],
    ],
  ),
  { ...block('json_output', []), further_inputs: 'any' } as Block,
];
const offered = (one: OpenWire) => fittingBlocks(blocks, one).map(({ type }) => type);

it('offers what is made for the kind before what takes anything', () => {
  expect(offered(wire('source', 'detections'))).toEqual(['draw_boxes', 'filter', 'tensor', 'json_output']);
  expect(offered(wire('source', 'image'))).toEqual(['resize', 'draw_boxes', 'tensor', 'json_output']);
  expect(offered(wire('target', 'integer'))).toEqual(['filter']);
});

it('leaves the order where anything would do', () => {
  expect(offered(wire('source', 'any'))).toEqual(blocks.map(({ type }) => type));
});

it('ends at the port of that kind', () => {
  const [, , draw, filter, output] = blocks;
  expect(draw && matchOf(draw, wire('source', 'detections'))?.handle).toBe('in:inputs/detections');
  expect(filter && matchOf(filter, wire('target', 'integer'))?.handle).toBe('count');
  expect(output && matchOf(output, wire('source', 'float'))?.handle).toBe('in:inputs/+');
});
