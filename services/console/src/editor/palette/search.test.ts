import { describe, expect, it } from 'vitest';
import type { Block } from '~/api/types';
import { searchBlocks } from './search';

const block = (type: string, title: string, help = '', settings: string[] = []): Block =>
  ({
    type,
    title,
    help,
    category: 'logic',
    inputs: [],
    outputs: [],
    config: { properties: Object.fromEntries(settings.map(name => [name, {}])) },
  }) as unknown as Block;

const blocks = [
  block('heatmap', 'Heat map'),
  block('map', 'Map'),
  block('filter', 'Filter', 'Keeps items if an expression says so.', ['where', 'min_confidence']),
  block('condition', 'Condition', '', ['if']),
  block('detection', 'Object detection', '', ['iou_threshold', 'agnostic_nms']),
  block('crop', 'Crop'),
  block('first_of', 'First of'),
  block('json_output', 'JSON output'),
  block('sub_workflow', 'Sub-workflow'),
];
const found = (text: string) => searchBlocks(blocks, text).map(one => one.type);

describe('looking for a block', () => {
  it('finds that of the very name first', () => {
    expect(found('map')).toEqual(['map', 'heatmap']);
    expect(found('Heat map')).toEqual(['heatmap']);
    expect(found('sub-workflow')).toEqual(['sub_workflow']);
    expect(found('cro')).toEqual(['crop']);
    // The key that leads to the search, pressed once more.
    expect(found('/crop')).toEqual(['crop']);
  });

  it('finds it by what it does and by its settings', () => {
    expect(found('if')[0]).toBe('condition');
    expect(found('threshold')).toEqual(['filter', 'detection']);
    expect(found('nms')).toEqual(['detection']);
    expect(found('yolo')).toEqual(['detection']);
    expect(found('merge')).toEqual(['first_of']);
    expect(found('save')).toEqual(['json_output']);
    expect(found('polygon')).toEqual(['filter']);
    expect(found('split')).toEqual(['crop']);
  });

  it('wants every word, and finds all without one', () => {
    expect(found('map nonsense')).toEqual([]);
    expect(found(' ')).toHaveLength(blocks.length);
  });
});
