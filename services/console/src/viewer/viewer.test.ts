import { describe, expect, it } from 'vitest';
import { classInk, classRgb, luminance } from './colour';
import drawn from './drawn.json';
import { layersFor, visibleItems } from './layers';
import { paintMask } from './rle';

describe('paintMask', () => {
  it('goes column by column, zeros first', () => {
    const pixels = new Uint8ClampedArray(2 * 3 * 4);
    // Height 2, width 3: one zero, then three ones: (row 1, column 0), (0, 1), (1, 1).
    paintMask(pixels, { size: [2, 3], counts: [1, 3, 2] }, [9, 8, 7], 100);
    const set = [0, 1, 2, 3, 4, 5].filter(at => pixels[at * 4 + 3] === 100);
    expect(set).toEqual([1, 3, 4]);
    expect([...pixels.slice(4, 7)]).toEqual([9, 8, 7]);
  });

  it('leaves pixels alone that the mask does not fit', () => {
    const pixels = new Uint8ClampedArray(4);
    paintMask(pixels, { size: [5, 5], counts: [0, 25] }, [1, 1, 1], 255);
    expect([...pixels]).toEqual([0, 0, 0, 0]);
  });
});

describe('layersFor', () => {
  const image = { kind: 'image' as const, blob: 'aa', width: 320, height: 240, format: 'png' };
  const overlay = (image_id: string | undefined, width = 320) => ({
    image_id,
    width,
    height: 240,
    items: [],
  });

  it('takes what was made on the picture, and what says nothing of its picture but has its size', () => {
    const values = {
      own: overlay('aa'),
      other: overlay('bb'),
      fed: overlay(undefined),
      small: overlay(undefined, 100),
    };
    const found = layersFor(
      image,
      Object.entries(values).map(([label, value]) => ({ label, value })),
    );
    expect(found.map(layer => layer.label)).toEqual(['own', 'fed']);
  });
});

describe('what a picture was opened for', () => {
  it('is its first layer, whatever else is found on it, and stands there once', () => {
    const image = { kind: 'image' as const, blob: 'aa', width: 320, height: 240, format: 'png' };
    const overlay = (confidence: number) => ({
      image_id: 'aa',
      width: 320,
      height: 240,
      items: [{ class_id: 0, class_name: 'star', confidence, bbox: [0, 0, 1, 1] }],
    });
    const candidates = [
      { label: 'detect.detections', value: overlay(0.1) },
      { label: 'filter[3].kept', value: overlay(0.9) },
    ];
    const asked = { label: 'kept', value: overlay(0.9) };
    expect(layersFor(image, candidates, asked).map(layer => layer.label)).toEqual([
      'kept',
      'detect.detections',
    ]);
    expect(layersFor(image, [], asked)).toHaveLength(1);
  });
});

describe('visibleItems', () => {
  const item = (class_name: string, confidence?: number) => ({
    class_id: 0,
    class_name,
    confidence,
    bbox: [0, 0, 1, 1] as [number, number, number, number],
  });

  it('filters by class and confidence; what has no score stays', () => {
    const items = [item('star', 0.9), item('star', 0.2), item('ring', 0.9), item('star')];
    expect(visibleItems(items, { hidden: new Set(['ring']), least: 0.5 })).toEqual([items[0], items[3]]);
  });
});

it('gives classes the colours that they are drawn in', () => {
  for (const { rgb, ...of } of drawn) expect(classRgb(of), JSON.stringify(of)).toEqual(rgb);
});

it('writes on the colour of any class so that it can be read', () => {
  for (const { rgb, ...of } of drawn) {
    const [ground, ink] = [luminance(rgb as [number, number, number]), classInk(of) === '#ffffff' ? 1 : 0];
    const contrast = (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
    expect(contrast, JSON.stringify(of)).toBeGreaterThan(4.5);
  }
});
