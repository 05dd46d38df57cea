import { describe, expect, it } from 'vitest';
import type { Definition } from '~/api/types';
import { copyNodes, paste, readClip, writeClip } from './clip';
import { withPlaces } from './places';

const start: Definition = {
  nodes: [
    { id: 'photo', type: 'image_input' },
    { id: 'min', type: 'parameter_input' },
    {
      id: 'detect',
      type: 'detection',
      inputs: { image: '$inputs.photo' },
      config: { model_id: 'm', confidence: '$inputs.min' },
    },
  ],
  ui: { positions: { photo: [0, 0], min: [0, 200], detect: [300, 0] } },
};

describe('a clip', () => {
  it('goes in with new names and wires that follow', () => {
    const clip = copyNodes(start, new Set(['photo', 'detect']));
    const { definition, ids } = paste(start, clip);
    expect(ids).toEqual(['photo_2', 'detect_2']);
    expect(definition.nodes.at(-1)?.inputs).toEqual({ image: '$inputs.photo_2' });
    expect(definition.nodes.at(-1)?.config?.confidence).toBe('$inputs.min');
    expect(definition.ui?.positions?.detect_2).toEqual([340, 40]);
    const elsewhere = paste({ nodes: [] }, clip);
    expect(elsewhere.definition.nodes[1]?.config).toEqual({ model_id: 'm' });
  });

  it('lies beside what it was copied from, and beside the last copy, saved places or not', () => {
    for (const definition of [start, { nodes: start.nodes }]) {
      const [x = 0, y = 0] = withPlaces(definition).ui?.positions?.detect ?? [];
      const clip = copyNodes(definition, new Set(['detect']));
      const once = paste(definition, clip).definition;
      expect(once.ui?.positions?.detect).toEqual([x, y]);
      expect(once.ui?.positions?.detect_2).toEqual([x + 40, y + 40]);
      expect(paste(once, clip).definition.ui?.positions?.detect_3).toEqual([x + 80, y + 80]);
    }
  });

  it('is the same again after the clipboard', () => {
    const clip = copyNodes(start, new Set(['photo', 'detect']));
    expect(readClip(writeClip(clip))).toEqual({ clip });
  });

  it('is read from a workflow, whatever stands for its places', () => {
    const positions = { photo: [10, 20], detect: { x: 1 }, gone: [0, 0] };
    const read = readClip(JSON.stringify({ ...start, ui: { positions } }));
    if (!read || !('clip' in read)) throw new Error('it was not read');
    expect(read.clip.places.get('photo')).toEqual([10, 20]);
    expect([...read.clip.places.keys()].sort()).toEqual(['detect', 'min', 'photo']);
    for (const at of read.clip.places.values()) expect(at.every(Number.isFinite)).toBe(true);
  });

  it('says why it is none', () => {
    const fault = (text: string) => {
      const read = readClip(text);
      return read && 'fault' in read ? read.fault : read;
    };
    expect(fault('hello')).toBeNull();
    expect(fault('{"a": 1}')).toBeNull();
    expect(fault('{"nodes": [{"id": "a"')).toMatch(/no JSON/);
    for (const node of [null, { id: 7, type: 'x' }, { id: 'a' }, { id: 'a', type: 'x', inputs: [] }])
      expect(fault(JSON.stringify({ nodes: [node] }))).toMatch(/Its node 1 is none/);
    const twice = { id: 'a', type: 'x' };
    expect(fault(JSON.stringify({ nodes: [twice, twice] }))).toMatch(/same id/);
  });
});
