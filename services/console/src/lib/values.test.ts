import { describe, expect, it } from 'vitest';
import { asOverlay, thumbnailUrl } from './values';

describe('thumbnailUrl', () => {
  const image = (width: number, height: number) => ({
    kind: 'image' as const,
    blob: 'aa',
    width,
    height,
    format: 'jpeg',
  });

  it('asks for the smallest copy whose longer side is long enough', () => {
    expect(thumbnailUrl(image(4000, 3000), 92)).toBe('/api/v1/blobs/aa/thumbnail?w=256');
    expect(thumbnailUrl(image(4000, 3000), 200)).toBe('/api/v1/blobs/aa/thumbnail?w=512');
    expect(thumbnailUrl(image(3000, 4000), 256)).toBe('/api/v1/blobs/aa/thumbnail?w=256');
  });

  it('takes the picture itself where a copy saves nothing', () => {
    for (const [picture, height] of [
      [image(512, 384), 32],
      [image(900, 700), 600],
      [image(4000, 3000), 2000],
    ] as const) {
      expect(thumbnailUrl(picture, height)).toBe('/api/v1/blobs/aa');
    }
  });
});

describe('asOverlay', () => {
  const bbox = [1, 2, 3, 4];
  const items = (...list: object[]) => asOverlay({ width: 10, height: 10, items: list })?.items;

  it('keeps what is sound of an item, and leaves the rest out', () => {
    expect(items({ bbox, class_id: 3, confidence: null, mask: { size: 1 }, keypoints: [7] })).toEqual([
      { bbox, class_id: 3, class_name: '3' },
    ]);
    expect(items({ bbox, class_name: 'cat', confidence: 'high', detection_id: 5 })).toEqual([
      { bbox, class_id: -1, class_name: 'cat' },
    ]);
    const whole = {
      bbox,
      class_id: 1,
      class_name: 'dog',
      detection_id: 'd',
      confidence: 0.5,
      mask: { size: [2, 2], counts: [4] },
      keypoints: [[1, 2, 0.5]],
      tracker_id: 9,
    };
    expect(items(whole)).toEqual([whole]);
  });

  it('is none where a box is none, or a picture has no size', () => {
    for (const odd of [null, [1, 2, 3], [1, 2, 3, null], [1, 2, 3, 'x']])
      expect(items({ bbox: odd })).toBeUndefined();
    expect(asOverlay({ width: null, height: 10, items: [] })).toBeNull();
    expect(asOverlay({ items: [] })).toBeNull();
  });
});
